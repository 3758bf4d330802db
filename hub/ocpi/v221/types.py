"""Base types and cardinality of OCPI 2.2.1 (chapter "Types"): what every object here is made of.

A field of cardinality `1` is plain, `?` is `X | None = None`, `*` is `ListOf[X] = None`, `+` is `NonEmptyList[X]`.
"""

import re
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, Strict, StringConstraints
from pydantic_core import PydanticCustomError

T = TypeVar("T")


def _not_empty(rows: tuple[T, ...]) -> tuple[T, ...]:
    # A length that pydantic checks counts the rows that are right: a list of wrong ones would be short as well.
    if not rows:
        raise PydanticCustomError("list_empty", "the list is empty, at least one element is required")
    return rows


ListOf: TypeAlias = tuple[T, ...] | None
NonEmptyList = Annotated[tuple[T, ...], AfterValidator(_not_empty)]

# Written for the engine behind pydantic's patterns, where `$` is the very end of the text.
PRINTABLE = r"^[^\p{Cc}\p{Zl}\p{Zp}]*$"
PRINTABLE_ASCII = r"^[ -~]*$"
NO_BLANKS_ASCII = r"^[!-~]*$"
CLOCK_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
LATITUDE = r"^-?[0-9]{1,2}\.[0-9]{5,7}$"
LONGITUDE = r"^-?[0-9]{1,3}\.[0-9]{5,7}$"
LOCAL_DATE = r"^[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"

LONGEST_DATE_TIME = 25

_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|(?P<offset>[+-][0-9]{2}:?[0-9]{2}))?"
)


class OcpiObject(BaseModel):
    """An object as it came in: fields nobody defined are kept, and absent, null and [] stay three different things.

    Errors never repeat a value: it may be a credentials token.
    """

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    def document(self) -> dict[str, Any]:
        """What came in, for `codec.dumps`: only members that were there, numbers with their digits."""
        return self.model_dump(exclude_unset=True)


def _exact(value: object) -> Decimal:
    # A float has lost its digits already, and bool is an int only to Python.
    if type(value) is int:
        return Decimal(value)
    if isinstance(value, Decimal) and value.is_finite():
        return value
    raise PydanticCustomError("number_type", "a number was expected")


def _date_time(text: str) -> str:
    written = _DATE_TIME.fullmatch(text)
    if not written:
        raise PydanticCustomError("date_time_form", "does not have the form 2026-01-31T12:00:00Z")
    if written["offset"]:
        raise PydanticCustomError("date_time_offset", "has an offset; a DateTime is UTC, with Z or nothing behind it")
    if len(text) > LONGEST_DATE_TIME:
        raise PydanticCustomError(
            "string_too_long", "longer than {max_length} characters", {"max_length": LONGEST_DATE_TIME}
        )
    try:
        datetime.fromisoformat(text[:19])
    except ValueError:
        raise PydanticCustomError("date_time_value", "there is no such date or time of day") from None
    return text


def _string(max_length: int | None = None, pattern: str = PRINTABLE) -> StringConstraints:
    return StringConstraints(strict=True, max_length=max_length, pattern=pattern)


Boolean = Annotated[bool, Strict()]
Int = Annotated[int, Strict()]
Int5 = Annotated[int, Strict(), Field(ge=-99_999, le=99_999)]
Weekday = Annotated[int, Strict(), Field(ge=1, le=7)]  # int(1)
Number = Annotated[Decimal, PlainValidator(_exact)]

# The text as it was; `hub.ocpi.times.parse` gives the moment.
DateTime = Annotated[str, Strict(), AfterValidator(_date_time)]
ClockTime = Annotated[str, _string(5, CLOCK_TIME)]
LocalDate = Annotated[str, _string(10, LOCAL_DATE)]

# The printed lengths, 10 and 11, have no room for a sign and all the digits that the printed patterns allow.
Latitude = Annotated[str, _string(11, LATITUDE)]
Longitude = Annotated[str, _string(12, LONGITUDE)]

URL = Annotated[str, _string(255)]
CredentialsToken = Annotated[str, _string(64, NO_BLANKS_ASCII)]

String = Annotated[str, _string()]
String2 = Annotated[str, _string(2)]
String3 = Annotated[str, _string(3)]
String4 = Annotated[str, _string(4)]
String10 = Annotated[str, _string(10)]
String16 = Annotated[str, _string(16)]
String45 = Annotated[str, _string(45)]
String64 = Annotated[str, _string(64)]
String100 = Annotated[str, _string(100)]
String255 = Annotated[str, _string(255)]
String512 = Annotated[str, _string(512)]
String5000 = Annotated[str, _string(5000)]

# Without regard to case when compared; kept in the spelling they came in.
CiString2 = Annotated[str, _string(2, PRINTABLE_ASCII)]
CiString3 = Annotated[str, _string(3, PRINTABLE_ASCII)]
CiString4 = Annotated[str, _string(4, PRINTABLE_ASCII)]
CiString32 = Annotated[str, _string(32, PRINTABLE_ASCII)]
CiString36 = Annotated[str, _string(36, PRINTABLE_ASCII)]
CiString39 = Annotated[str, _string(39, PRINTABLE_ASCII)]
CiString48 = Annotated[str, _string(48, PRINTABLE_ASCII)]
CiString64 = Annotated[str, _string(64, PRINTABLE_ASCII)]
