"""JSON as text, in all the ways JSON can be written: white space, escapes, number forms, repeated keys."""

import json
from typing import Any

from hypothesis import strategies as st

SPACE = st.text(" \t\r\n", max_size=2)

_CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\')
_PIECES = st.one_of(
    _CHARACTERS,
    st.sampled_from(['\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0000", "\\u00e9", "\\uD83d\\ude00"]),
    st.sampled_from(['\\":{', "}]", "{[", ",:", "response_url"]),
)
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True)


# String literals, with their quotes; the second kind may have half a surrogate pair in it.
STRINGS = st.lists(_PIECES, max_size=5).map(lambda parts: f'"{"".join(parts)}"')
ANY_STRINGS = STRINGS | st.sampled_from(['"\\ud83d"', '"\\uDE00x"', '"\\udc00\\ud800"'])


def spelt(text: str) -> st.SearchStrategy[str]:
    """Literals that all read as `text`: each character as itself or as an escape."""
    characters = [st.sampled_from([char, f"\\u{ord(char):04x}", f"\\u{ord(char):04X}"]) for char in text]
    return st.tuples(*characters).map(lambda parts: f'"{"".join(parts)}"') | st.just(f'"{text}"')


# Strategies are put together once, not while an example is drawn: that would be most of the time an example takes.


def _array(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.lists(st.tuples(SPACE, inner, SPACE).map("".join), max_size=3)
    return items.map(lambda written: f"[{','.join(written)}]")


def _object(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    keys = STRINGS | spelt("response_url")
    members = st.lists(st.tuples(SPACE, keys, SPACE, st.just(":"), SPACE, inner, SPACE).map("".join), max_size=3)
    return members.map(lambda written: f"{{{','.join(written)}}}")


def values(texts: st.SearchStrategy[str] = STRINGS) -> st.SearchStrategy[str]:
    """Any JSON value."""
    scalars = st.one_of(st.sampled_from(["null", "true", "false"]), NUMBERS, texts)
    return st.recursive(scalars, lambda inner: _array(inner) | _object(inner), max_leaves=6)


def documents(texts: st.SearchStrategy[str] = STRINGS) -> st.SearchStrategy[bytes]:
    """Any JSON text."""
    return st.tuples(SPACE, values(texts), SPACE).map("".join).map(str.encode)


def strictly(body: bytes) -> Any:
    """The value by the standard library, told to be strict: UTF-8, no NaN. Raises ValueError."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(body.decode("utf-8"), parse_constant=refuse)
