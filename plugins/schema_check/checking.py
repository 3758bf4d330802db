"""What is wrong with a body: pydantic's errors as JSON pointers and sentences that people understand."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from hub.ocpi.v221.types import CLOCK_TIME, LATITUDE, LOCAL_DATE, LONGITUDE, NO_BLANKS_ASCII, PRINTABLE, PRINTABLE_ASCII

MOST_FINDINGS = 50
# Of one object, in all its lists together. A body in which everything is wrong would hold the loop.
MOST_ROWS = 400
# How deep lists are looked for: no object of OCPI has more levels.
DEEPEST = 12
# Longer lists of allowed values help nobody.
LONGEST_CHOICE = 200

# A PATCH has only what changes, and when.
ALWAYS_IN_A_PATCH = "last_updated"

MISSING = "the field is required, and it is missing"


class Finding(NamedTuple):
    """`pointer` is RFC 6901, "" for the body as a whole. `kind` is missing, type, length, value or pattern. Values are
    never repeated: they may be secret.
    """

    pointer: str
    problem: str
    kind: str


_EXPECTED: Mapping[str, str] = {
    "bool_type": "a boolean",
    "int_type": "a whole number without fraction or exponent",
    "model_type": "an object",
    "number_type": "a number",
    "string_type": "a string",
    "tuple_type": "a list",
}

_FORMS: Mapping[str, str] = {
    CLOCK_TIME: "does not have the form 18:30",
    LATITUDE: "does not have the form 52.123456, with five to seven decimals",
    LOCAL_DATE: "does not have the form 2026-01-31",
    LONGITUDE: "does not have the form 5.123456, with five to seven decimals",
    NO_BLANKS_ASCII: "has a character other than printable ASCII, or a blank",
    PRINTABLE: "has a tab, a line break or another character that cannot be printed",
    PRINTABLE_ASCII: "has a character other than printable ASCII",
}

# What JSON values of ours that have values in them are.
_WITH_MEMBERS = (dict, list)

_adapters: dict[type[object], TypeAdapter[object]] = {}


def findings(value: object, kind: type[object], *, partial: bool = False) -> list[Finding]:
    """What is wrong with a value of `codec.loads`, at most 50 findings, in the order of the fields. Of an object with
    more than 400 rows in its lists only the first ones are looked at.

    `kind` is a model, an enumeration, or a list of models like `list[Location]`. `partial`: a PATCH, in which fields of
    the object itself may be missing, all but `last_updated`.
    """
    if get_origin(kind) is not list:
        return _of_one(value, kind, partial, "")[:MOST_FINDINGS]
    if not isinstance(value, list):
        return [Finding("", _another_type("a list", value), "type")]
    (one,) = get_args(kind)
    found: list[Finding] = []
    for position, row in enumerate(value):
        found += _of_one(row, one, partial, f"/{position}")
        if len(found) >= MOST_FINDINGS:
            break
    return found[:MOST_FINDINGS]


def _of_one(value: object, kind: type[object], partial: bool, above: str) -> list[Finding]:
    adapter = _adapters.get(kind)
    if adapter is None:
        adapter = _adapters[kind] = TypeAdapter(kind)
    try:
        adapter.validate_python(_cut(value, iter(range(MOST_ROWS))))
    except ValidationError as problem:
        errors = (error for error in problem.errors(include_url=False) if not (partial and _left_out(error)))
        return [_finding(error, value, above) for error in islice(errors, MOST_FINDINGS)]
    return []


def _cut(value: object, room: Iterator[int], levels: int = DEEPEST) -> object:
    """The value with as many rows as there is room for, and one of each list in any case: none may be wrong."""
    if levels and isinstance(value, dict):
        return {
            name: _cut(member, room, levels - 1) if type(member) in _WITH_MEMBERS else member
            for name, member in value.items()
        }
    if levels and isinstance(value, list):
        kept = len(list(islice(room, len(value)))) or 1
        return [_cut(row, room, levels - 1) if type(row) in _WITH_MEMBERS else row for row in value[:kept]]
    return value


def _left_out(error: ErrorDetails) -> bool:
    return error["type"] == "missing" and len(error["loc"]) == 1 and error["loc"][0] != ALWAYS_IN_A_PATCH


def _finding(error: ErrorDetails, value: object, above: str) -> Finding:
    return Finding(above + _pointer(error, value), *_told(error))


def _pointer(error: ErrorDetails, value: object) -> str:
    """The location without what is no part of the body: the branch of a union has its name there."""
    pointer = ""
    at: Any = value
    parts = error["loc"]
    for position, part in enumerate(parts):
        if isinstance(part, int) if isinstance(at, list) else isinstance(at, dict) and part in at:
            at = at[part]
        elif error["type"] != "missing" or position != len(parts) - 1:
            continue
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
    return pointer


def _told(error: ErrorDetails) -> tuple[str, str]:
    """The sentence and the kind of an error."""
    slug = error["type"]
    limits: dict[str, Any] = error.get("ctx", {})
    match slug:
        case "missing":
            return MISSING, "missing"
        case "enum" if isinstance(error["input"], str):
            choice = f": {limits['expected']}" if len(limits["expected"]) <= LONGEST_CHOICE else ""
            return f"not one of the values allowed{choice}", "value"
        case "enum":
            return _another_type("a string", error["input"]), "type"
        case "string_too_long":
            return f"longer than the {limits['max_length']} characters allowed", "length"
        case "list_empty":
            return error["msg"], "length"
        case "string_pattern_mismatch":
            return _FORMS.get(limits["pattern"]) or f"does not have the form {limits['pattern']}", "pattern"
        case "greater_than_equal":
            return f"must be {limits['ge']} or more", "value"
        case "less_than_equal":
            return f"must be {limits['le']} or less", "value"
        case "date_time_offset" | "date_time_form":
            return error["msg"], "pattern"
        case _ if slug in _EXPECTED:
            return _another_type(_EXPECTED[slug], error["input"]), "type"
    return error["msg"], "value"


def _another_type(expected: str, value: object) -> str:
    return f"{expected} was expected, but this is {_json_type(value)}"


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | Decimal() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
    return "an object"
