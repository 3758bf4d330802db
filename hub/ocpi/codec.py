"""The door of the JSON library: reading and writing whole values, with the digits of every number kept."""

import math
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.json.Encoder(decimal_format="number", order=None)
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(float_hook=Decimal)


class NotJson(ValueError):
    """The bytes are not JSON, or JSON that cannot be kept as values; the text says where."""


def loads(body: bytes | str) -> Any:
    """The value with objects as dict, arrays as list and fractions as Decimal. Raises NotJson.

    Half a surrogate pair is refused here (a text with one cannot be stored), as is a number no Decimal can hold.
    """
    try:
        if isinstance(body, bytes) and not body.isascii():
            body.decode()
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise NotJson(str(problem)) from None
    except InvalidOperation:
        raise NotJson("a number has too large an exponent") from None


def dumps(value: object) -> bytes:
    """Compact JSON; Decimal becomes a number with its digits, datetime RFC 3339, dataclasses and enums their
    content.
    """
    return _encoder.encode(value)


def dumps_exactly(value: object) -> bytes:
    """The same for values of others: ValueError instead of null for a float that is no number (NaN, infinite)."""
    text = dumps(value)
    if b"null" in text and not _finite(value):
        raise ValueError("a number is not finite")
    return text


_SCALARS = frozenset({str, int, bool, type(None), Decimal})


def _finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_finite(each) for each in value.values() if type(each) not in _SCALARS)
    if isinstance(value, list | tuple | set | frozenset):
        return all(_finite(each) for each in value if type(each) not in _SCALARS)
    return True


def pretty(value: object) -> str:
    """Indented JSON for people."""
    return msgspec.json.format(dumps(value), indent=2).decode()


def to_plain(value: object) -> Any:
    """Dataclasses, enums and datetimes to dict, list, str and numbers: what a store can keep as one document."""
    return msgspec.to_builtins(value)


def from_plain(kind: type[T], value: object) -> T:
    """The reverse of `to_plain`; raises msgspec's ValidationError (a ValueError) when a document does not fit."""
    return msgspec.convert(value, kind)
