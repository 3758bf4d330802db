"""Base types: what they take, and that they keep it as it was."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from hub.ocpi import codec, times
from hub.ocpi.names import Role
from hub.ocpi.v221 import types
from hub.ocpi.v221.common import DisplayText, Price
from hub.ocpi.v221.credentials import Credentials, CredentialsRole
from hub.ocpi.v221.locations import BusinessDetails
from hub.ocpi.v221.types import OcpiObject


class Thing(OcpiObject):
    """One field of every cardinality."""

    first: types.String3
    second: types.Int | None = None
    third: types.ListOf[types.String3] = None
    fourth: types.NonEmptyList[Price]


def slug(kind: Any, value: object) -> str | None:
    """The kind of error, or None for a right value."""
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError as problem:
        return problem.errors()[0]["type"]
    return None


@pytest.mark.parametrize(
    "digits", ["0.2500", "0", "-0.0", "7", "1E-7", "1234567890123456789012.5", "0.1234567890123456789012", "1E+400"]
)
def test_a_number_keeps_its_digits(digits: str) -> None:
    price = Price.model_validate(codec.loads(f'{{"excl_vat":{digits}}}'))

    assert isinstance(price.excl_vat, Decimal)
    assert codec.dumps(price.document()) == f'{{"excl_vat":{digits}}}'.encode()


@pytest.mark.parametrize("value", [True, False, "1", "1.5", None, [], {}, 1.5, Decimal("NaN"), Decimal("Infinity")])
def test_what_is_no_exact_number(value: object) -> None:
    assert slug(types.Number, value) == "number_type"


@pytest.mark.parametrize("value", [Decimal("1.5"), Decimal("1.0"), 1.0, True, "1", None])
def test_what_is_no_int(value: object) -> None:
    assert slug(types.Int, value) == "int_type"


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_what_is_no_boolean(value: object) -> None:
    assert slug(types.Boolean, value) == "bool_type"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00.1Z",
        "2026-01-31T12:00:00.1234Z",
        "2026-01-31T12:00:00.12345",
        "2024-02-29T23:59:59Z",
        "2026-01-31t12:00:00z",
    ],
)
def test_a_date_time_stays_the_text_it_was(text: str) -> None:
    moment = TypeAdapter(types.DateTime).validate_python(text)

    assert moment == text
    assert times.parse(moment) is not None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("2026-01-31T12:00:00+00:00", "date_time_offset"),
        ("2026-01-31T12:00:00.123+02:00", "date_time_offset"),
        ("2026-01-31T12:00:00-0500", "date_time_offset"),
        ("2026-01-31 12:00:00Z", "date_time_form"),
        ("2026-01-31T12:00Z", "date_time_form"),
        ("2026-01-31", "date_time_form"),
        ("2026-01-31T12:00:00,5Z", "date_time_form"),
        ("2026-01-31T12:00:00Z\n", "date_time_form"),
        ("\uff12\uff10\uff12\uff16-01-31T12:00:00Z", "date_time_form"),
        ("", "date_time_form"),
        ("T+" * 500_000, "date_time_form"),
        ("2026-02-29T12:00:00Z", "date_time_value"),
        ("2026-13-01T12:00:00Z", "date_time_value"),
        ("2026-01-31T24:00:01Z", "date_time_value"),
        ("0000-01-31T12:00:00Z", "date_time_value"),
        ("2026-01-31T12:00:00.12345Z", "string_too_long"),
        (1767225600, "string_type"),
        (None, "string_type"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_date_time_is_told_apart_at_once(text: object, error: str) -> None:
    assert slug(types.DateTime, text) == error


def test_a_length_counts_characters_not_bytes() -> None:
    assert slug(types.String3, "äöü") is None
    assert slug(types.String3, "👍👍👍") is None
    assert slug(types.String3, "abcd") == "string_too_long"


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "\r", "\x00", "\x7f", "\u0085", "\u2028", "a\n"])
def test_what_cannot_be_printed_is_no_string(text: str) -> None:
    assert slug(types.String, text) == "string_pattern_mismatch"


def test_a_ci_string_is_printable_ascii_in_the_spelling_it_came_in() -> None:
    assert TypeAdapter(types.CiString36).validate_python("nL-~ !") == "nL-~ !"
    for text in ("é", "a\n", "\x7f", "\u2013"):
        assert slug(types.CiString36, text) == "string_pattern_mismatch"


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (types.ClockTime, ["00:00", "23:59", "19:05"], ["24:00", "9:00", "12:60", "12:00\n", "12.00", "00:0a"]),
        (types.LocalDate, ["2026-01-31", "1999-12-01"], ["2026-1-31", "2026-13-01", "2026-12-32", "0999-01-01"]),
        (types.Latitude, ["52.12345", "-52.1234567", "1.000000"], ["52.1234", "152.12345", "52,12345", "+2.12345"]),
        (types.Longitude, ["5.12345", "-179.1234567"], ["5.1234", "1790.12345", "5", ".12345"]),
        (types.CredentialsToken, ["!a~", "ebf3b399-779f-4497-9b9d"], ["a b", "é", "a\n"]),
    ],
)
def test_texts_with_a_form(kind: Any, right: list[str], wrong: list[str]) -> None:
    assert [slug(kind, text) for text in right] == [None] * len(right)
    assert {slug(kind, text) for text in wrong} <= {"string_pattern_mismatch", "string_too_long"}


def test_cardinality() -> None:
    least: dict[str, Any] = {"first": "a", "fourth": [{"excl_vat": 1}]}
    for document in (
        least,
        least | {"second": None, "third": None},
        least | {"second": 0, "third": []},
        least | {"third": ["a", "b"], "fourth": [{"excl_vat": 1}, {"excl_vat": 2, "incl_vat": None}]},
    ):
        assert codec.loads(codec.dumps(Thing.model_validate(document).document())) == document

    for wrong, error in (
        ({"fourth": least["fourth"]}, "missing"),
        ({"first": "a"}, "missing"),
        (least | {"first": None}, "string_type"),
        (least | {"fourth": None}, "tuple_type"),
        (least | {"fourth": []}, "list_empty"),
        (least | {"fourth": [{}]}, "missing"),
        (least | {"third": "abc"}, "tuple_type"),
        (least | {"third": [None]}, "string_type"),
    ):
        assert slug(Thing, wrong) == error


def test_unknown_fields_stay_and_an_object_does_not_change() -> None:
    text = b'{"language":"en","text":"a","x_vendor":{"deep":[1,2.50,null,{"n":1E2}]},"model_config":0.10,"copy":[]}'

    thing = DisplayText.model_validate(codec.loads(text))

    assert codec.dumps(thing.document()) == text.replace(b"1E2", b"1E+2")
    with pytest.raises(ValidationError, match="frozen"):
        thing.text = "b"  # type: ignore[misc]  # that it cannot be is the test


def test_an_error_never_repeats_a_value() -> None:
    with pytest.raises(ValidationError) as problem:
        Credentials.model_validate({"token": "no blanks", "url": 5, "roles": []})
    assert "no blanks" not in str(problem.value)


def test_a_credentials_token_is_never_shown() -> None:
    role = CredentialsRole(role=Role.CPO, business_details=BusinessDetails(name="A"), party_id="ABC", country_code="NL")
    credentials = Credentials(token="hush", url="https://example.com/versions", roles=(role,))

    assert "hush" not in repr(credentials)
    assert "example" in repr(credentials)
