"""Whole JSON values in and out."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec
import pytest

from hub.ocpi import codec
from hub.ocpi.codec import NotJson


@pytest.mark.parametrize(
    "text",
    [b"0.10", b"1.0E-7", b"-0.0", b"12345678901234567890123456789", b"0." + b"3" * 300, b"[]", b'{"b":1,"a":null}'],
)
def test_what_is_read_is_written_again(text: bytes) -> None:
    assert codec.dumps(codec.loads(text)) == text


def test_fractions_are_decimals_and_keep_their_digits() -> None:
    assert codec.loads(b"1E2") == Decimal("1E2")
    assert str(codec.loads(b"3.10")) == "3.10"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"NaN",
        b'"\xff"',
        b'{"a":1}}',
        b"\xef\xbb\xbf{}",
        b"[" * 5000 + b"]" * 5000,
        b"9" * 5000,
        b"1e99999999999999999999",
        b'"\\ud83d"',
    ],
)
def test_what_cannot_be_read_is_one_kind_of_error(text: bytes) -> None:
    with pytest.raises(NotJson):
        codec.loads(text)


def test_text_is_read_as_well() -> None:
    assert codec.loads('{"name":"Zürich"}') == {"name": "Zürich"}


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Thing:
    colour: Colour
    at: datetime
    price: Decimal
    parts: tuple[str, ...] = ()


def test_dataclasses_enums_and_moments_become_plain_values_and_come_back() -> None:
    thing = Thing(Colour.RED, datetime(2026, 1, 1, tzinfo=UTC), Decimal("0.10"), ("a",))

    assert codec.dumps(thing) == b'{"colour":"red","at":"2026-01-01T00:00:00Z","price":0.10,"parts":["a"]}'
    assert codec.from_plain(Thing, codec.to_plain(thing)) == thing
    with pytest.raises(msgspec.ValidationError):
        codec.from_plain(Thing, {"colour": "blue"})


def test_for_people_it_is_indented() -> None:
    assert codec.pretty({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
