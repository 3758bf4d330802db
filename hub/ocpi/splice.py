"""Changing members of JSON objects as text: what nobody touched keeps its digits, escapes and spacing (rulings 3, 11).

An object is taken apart into the texts of its members and joined again. Names are written anew, in the order of their
first appearance; of a name that stands twice the last value counts. White space between members goes.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec

from hub.ocpi import codec

T = TypeVar("T")


class Unreadable(ValueError):
    """A text is not the JSON it should be; says why in words that go on behind "the body"."""


_objects = msgspec.json.Decoder(dict[str, msgspec.Raw])
_arrays = msgspec.json.Decoder(list[msgspec.Raw])
_anything = msgspec.json.Decoder(msgspec.Raw)
_texts = msgspec.json.Decoder(str)


def members(raw: bytes, *, spare: int = 0) -> dict[str, bytes]:
    """The members of an object, each with the text of its value. Raises Unreadable.

    With `spare` a text is refused unless it could also be read that many levels deeper inside another.
    """
    found, mark = _read(_objects, raw)
    if spare:
        _read(_anything, b"%b%b%b" % (b"[" * spare, raw, b"]" * spare))
    if not mark:
        return {name: bytes(value) for name, value in found.items()}
    return {_spelt_out(name, mark): _restored(value, mark) for name, value in found.items()}


def joined(parts: Mapping[str, bytes]) -> bytes:
    """The object with these members."""
    return b"{%b}" % b",".join(b"%b:%b" % (_literal(name), value) for name, value in parts.items())


def merged(raw: bytes, changes: Mapping[str, bytes]) -> bytes:
    """The object with the values of `changes` in place of its own; new members at the end. Raises Unreadable."""
    return joined({**members(raw), **changes})


def elements(value: bytes | None) -> list[bytes]:
    """The texts of an array's elements; none when the member is absent or null. Raises Unreadable."""
    if value is None or value.strip() == b"null":
        return []
    found, mark = _read(_arrays, value)
    return [_restored(element, mark) for element in found] if mark else [bytes(element) for element in found]


def row(parts: Iterable[bytes]) -> bytes:
    """The array of these elements."""
    return b"[%b]" % b",".join(parts)


def position(parts: Sequence[bytes], member: str, wanted: str) -> int | None:
    """Where the first object stands whose `member` is this text in any spelling (R-109)."""
    key = wanted.casefold()
    read = _reader(member)
    for at, element in enumerate(parts):
        found = text(read(element)) if element.lstrip().startswith(b"{") else None
        if found is not None and found.casefold() == key:
            return at
    return None


def text(value: bytes | None) -> str | None:
    """What a string says, with U+FFFD for half a surrogate pair; None for any other value, or none at all."""
    if value is None:
        return None
    try:
        found, mark = _read(_texts, value)
    except Unreadable:
        return None
    return re.sub(f"{mark.decode()}....", "\ufffd", found) if mark else found


@cache
def _reader(member: str) -> Callable[[bytes], bytes | None]:
    """Reads one member of an object, the others unseen; None when it is absent."""
    kind = msgspec.defstruct("Element", [("value", msgspec.Raw, msgspec.Raw(b""))], rename={"value": member})
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(kind)

    def read(element: bytes) -> bytes | None:
        try:
            found = bytes(decoder.decode(element).value)
        except (msgspec.DecodeError, RecursionError):
            return _read_slowly(element, member)
        return found or None

    return read


def _read_slowly(element: bytes, member: str) -> bytes | None:
    try:
        return members(element).get(member)
    except Unreadable:
        return None


def _read(decoder: msgspec.json.Decoder[T], raw: bytes) -> tuple[T, bytes]:
    """The decoder's value, and the mark that stands in it for the `\\u` of half a surrogate pair; b"" when none does.

    JSON allows an escape for half a pair and msgspec does not, but what was received has to come back as it was.
    """
    try:
        if not raw.isascii():
            raw.decode()
        try:
            return decoder.decode(raw), b""
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            mark = _mark(raw)
            hidden = _HALF_OR_ESCAPE.sub(lambda found: mark + found[1] if found[1] else found[0], raw)
            if hidden == raw:
                raise
        return decoder.decode(hidden), mark
    except msgspec.ValidationError as problem:
        # Only the outermost value has a type to differ from; the library says it as "Expected `object`, got `null`".
        raise Unreadable(f"is of the wrong kind: {str(problem).lower()}") from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    except UnicodeDecodeError as problem:
        raise Unreadable(f"is not UTF-8 (byte {problem.start})") from None
    except msgspec.DecodeError as problem:
        raise Unreadable(f"is not JSON: {problem}") from None


_HEX = rb"[0-9a-fA-F]"
_PAIR = rb"u[dD][89abAB]" + _HEX * 2 + rb"\\u[dD][c-fC-F]" + _HEX * 2
# Every escape is looked at, because a backslash that is itself escaped starts none; the group is half a pair, alone.
_HALF_OR_ESCAPE = re.compile(rb"\\(?:" + _PAIR + rb"|u([dD][89a-fA-F]" + _HEX * 2 + rb")|.)", re.DOTALL)
_MARK = re.compile(rb"<half (\d{1,9})>")
_HALF = re.compile("[\ud800-\udfff]")


def _mark(raw: bytes) -> bytes:
    """A word the text does not contain. It cannot overlap itself, so it is found again where it was put, only there."""
    taken = {int(number) for number in _MARK.findall(raw)}
    return b"<half %d>" % next(number for number in range(len(taken) + 1) if number not in taken)


def _restored(value: msgspec.Raw, mark: bytes) -> bytes:
    return bytes(value).replace(mark, rb"\u")


def _spelt_out(name: str, mark: bytes) -> str:
    return re.sub(f"{mark.decode()}(....)", lambda found: chr(int(found[1], 16)), name)


def _literal(name: str) -> bytes:
    """The name as a string of JSON; halves, for which UTF-8 has no bytes, as escapes."""
    try:
        return codec.dumps(name)
    except UnicodeEncodeError:
        pieces = (rf"\u{ord(char):04x}".encode() if _HALF.match(char) else codec.dumps(char)[1:-1] for char in name)
        return b'"%b"' % b"".join(pieces)
