"""The models against the specification's tables, field by field."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ocpi import codec
from plugins.schema_check.checking import findings
from tests.unit.ocpi.v221.specification import (
    ENUMS,
    MODELS,
    Row,
    enums,
    least,
    most,
    needs_tables,
    objects,
    present,
    rows,
    tables,
)

pytestmark = needs_tables

ROWS = [row for name in objects() for row in rows(name)]
ENVELOPE_DATA = "* or ?"

# Where the models take more than the tables say, and why.
LONGER = {
    ("GeoLocation", "latitude"): 11,  # a sign, two digits, the point, seven decimals
    ("GeoLocation", "longitude"): 12,
    ("AdditionalGeoLocation", "latitude"): 11,
    ("AdditionalGeoLocation", "longitude"): 12,
    ("CdrLocation", "address"): 255,  # what a location may have
    ("CdrLocation", "state"): 45,
}
OPEN = {
    ("Version", "version"): 16,  # later versions stand in the same list
    ("Endpoint", "identifier"): 64,  # custom modules
}


def named(row: Row) -> str:
    return f"{row.owner}.{row.name}"


def kinds_at(row: Row, value: object) -> list[str]:
    """What is found at this field of an object that is right otherwise. Nothing may be found elsewhere."""
    found = findings(least(row.owner) | {row.name: value}, MODELS[row.owner])
    assert {one.pointer for one in found} <= {f"/{row.name}", f"/{row.name}/0"}
    return [one.kind for one in found]


def wrapped(row: Row, value: object) -> object:
    return [value] if row.card in ("*", "+") else value


def test_every_object_and_enumeration_is_there_and_none_too_many() -> None:
    assert set(MODELS) == set(objects())
    assert set(ENUMS) == set(enums())


@pytest.mark.parametrize("name", enums())
def test_an_enumeration_has_its_values(name: str) -> None:
    assert sorted(ENUMS[name]) == sorted(tables()[name]["values"])


@pytest.mark.parametrize("name", objects())
def test_an_object_has_its_fields(name: str) -> None:
    model = MODELS[name]
    assert list(model.model_fields) == [row.name for row in rows(name)]
    assert {field for field, info in model.model_fields.items() if info.is_required()} == {
        row.name for row in rows(name) if row.card in ("1", "+")
    }


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_a_field_has_its_cardinality(row: Row) -> None:
    without = {name: value for name, value in least(row.owner).items() if name != row.name}
    absent = [(one.pointer, one.kind) for one in findings(without, MODELS[row.owner])]
    required = row.card in ("1", "+")

    assert absent == ([(f"/{row.name}", "missing")] if required else [])
    assert kinds_at(row, None) == (["type"] if required else [])
    assert kinds_at(row, present(row)) == []
    if row.card in ("*", "+"):
        assert kinds_at(row, []) == (["length"] if row.card == "+" else [])
        assert kinds_at(row, present(row) * 3) == []
        assert kinds_at(row, {"0": present(row)}) == ["type"]
    elif row.card != ENVELOPE_DATA:
        assert kinds_at(row, [present(row)]) == ["type"]


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.base in ("string", "CiString", "URL", "DateTime")], ids=named
)
def test_a_text_has_its_length_and_its_characters(row: Row) -> None:
    known = {"URL": 255, "DateTime": 25, "string": row.length, "CiString": row.length}[row.base]
    limit = LONGER.get((row.owner, row.name), known)
    form = present(row)[0] if row.card in ("*", "+") else present(row)

    others: list[Any] = [1, Decimal("1.5"), True, {}]
    for other in others:
        assert kinds_at(row, wrapped(row, other)) == ["type"]
    if len(form) != limit:
        assert kinds_at(row, wrapped(row, form + "\n")) == ["pattern"]
    assert kinds_at(row, wrapped(row, "\t"[:limit])) == ["pattern"]
    if form == "Aa1"[:limit] or row.base == "URL":
        longest = "x" * (limit or 10_000)
        assert kinds_at(row, wrapped(row, longest)) == []
        assert kinds_at(row, wrapped(row, longest + "x")) == (["length"] if limit else [])
        accented = kinds_at(row, wrapped(row, "é"))
        assert accented == (["pattern"] if row.base == "CiString" or row.name == "token" else [])


@pytest.mark.parametrize("row", [row for row in ROWS if row.base in ("number", "int", "boolean")], ids=named)
def test_numbers_and_booleans_are_no_other_type(row: Row) -> None:
    taken: dict[str, list[Any]] = {
        "number": [0, -1, 10**30, Decimal("-0.0"), Decimal("1E-7"), Decimal("1234567890123456789012.5")],
        "int": [0, -1, 10**30] if row.length is None else [1, 7],
        "boolean": [True, False],
    }
    others = {"number": ["1", True, {}], "int": ["1", False, Decimal("1.5"), {}], "boolean": [0, 1, "true", {}]}

    for value in taken[row.base]:
        assert kinds_at(row, wrapped(row, value)) == []
    for value in others[row.base]:
        assert kinds_at(row, wrapped(row, value)) == ["type"]
    if row.length is not None:
        assert kinds_at(row, 10**row.length) == ["value"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.type in enums()], ids=named)
def test_an_enumeration_is_closed(row: Row) -> None:
    open_length = OPEN.get((row.owner, row.name))
    for value in ENUMS[row.type]:
        assert kinds_at(row, wrapped(row, str(value))) == []
    assert kinds_at(row, wrapped(row, "A_NEW_VALUE")) == ([] if open_length else ["value"])
    assert kinds_at(row, wrapped(row, 5)) == ["type"]
    if open_length:
        assert kinds_at(row, wrapped(row, "x" * (open_length + 1))) == ["length"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.type in objects()], ids=named)
def test_an_object_inside_is_the_one_of_the_table(row: Row) -> None:
    model = MODELS[row.owner].model_validate(most(row.owner))
    inside = getattr(model, row.name)
    assert type(inside[0] if row.card in ("*", "+") else inside) is MODELS[row.type]
    assert kinds_at(row, wrapped(row, "text")) == ["type"]


@pytest.mark.parametrize("name", objects())
@settings(max_examples=15)
@given(data=st.data())
def test_absent_null_empty_and_present_stay_apart(name: str, data: st.DataObject) -> None:
    document = least(name)
    for row in rows(name):
        if row.card not in ("1", "+"):
            states = ["absent", None, present(row), *([[]] if row.card == "*" else [])]
            state = data.draw(st.sampled_from(states), label=row.name)
            if state != "absent":
                document[row.name] = state
    text = codec.dumps(document)

    model = MODELS[name].model_validate(codec.loads(text))

    again = codec.loads(codec.dumps(model.document()))
    assert _exact(again) == _exact(document)


def _exact(value: object) -> object:
    """Decimals are equal whatever their digits: here they are texts."""
    if isinstance(value, dict):
        return {name: _exact(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_exact(row) for row in value]
    return repr(value)
