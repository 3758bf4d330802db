"""Objects changed as text: what comes of it reads as a dict would, and what nobody touched keeps every byte."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ocpi import splice
from tests.properties.json_texts import ANY_STRINGS, SPACE, spelt, strictly, values
from tests.properties.test_envelope import mutated

NAMES = st.one_of(
    spelt("evses"),
    spelt("é"),
    st.sampled_from(['"id"', '"uid"', '"ID"', '""', '"<half 0>"', '"x\\ud83d"']),
    ANY_STRINGS,
)
VALUES = values(ANY_STRINGS | st.just('"<half 0> \\uD83d <half 1>"'))


@dataclass(frozen=True)
class Text:
    """An object as text, and the text of each value by name: the last one of a name."""

    raw: bytes
    members: Mapping[str, bytes]


def _object(drawn: tuple[str, list[tuple[str, str, str, str, str, str]], str]) -> Text:
    start, pairs, end = drawn
    written = (f"{a}{name}{b}:{c}{value}{d}" for a, name, b, c, value, d in pairs)
    raw = f"{start}{{{','.join(written)}}}{end}".encode()
    return Text(raw, {json.loads(name): value.encode() for _, name, _, _, value, _ in pairs})


def objects() -> st.SearchStrategy[Text]:
    """Objects of up to five members; names may repeat."""
    pairs = st.lists(st.tuples(SPACE, NAMES, SPACE, SPACE, VALUES, SPACE), max_size=5)
    return st.tuples(SPACE, pairs, SPACE).map(_object)


def exactly(raw: bytes) -> Any:
    """The value with each number as the text it was written as."""
    return json.loads(raw, parse_int=lambda text: ("number", text), parse_float=lambda text: ("number", text))


@given(objects())
def test_the_text_of_every_value_is_found(one: Text) -> None:
    assert splice.members(one.raw) == one.members
    assert list(splice.members(one.raw)) == list(one.members)


@given(objects(), objects())
def test_a_merged_object_reads_as_an_updated_dict(one: Text, changes: Text) -> None:
    merged = splice.merged(one.raw, changes.members)

    expected = {**exactly(one.raw), **exactly(changes.raw)}
    assert exactly(merged) == expected
    assert list(exactly(merged)) == list(expected)
    assert splice.members(merged) == {**one.members, **changes.members}  # to the byte


@given(objects(), objects())
def test_merging_again_changes_nothing(one: Text, changes: Text) -> None:
    once = splice.merged(one.raw, changes.members)

    assert splice.merged(once, changes.members) == once
    assert splice.joined(splice.members(once)) == once


@given(st.lists(st.tuples(SPACE, VALUES, SPACE), max_size=5))
def test_elements_are_found_as_text_and_stay_so(parts: list[tuple[str, str, str]]) -> None:
    raw = "[" + ",".join("".join(part) for part in parts) + "]"
    found = splice.elements(raw.encode())

    assert found == [value.encode() for _, value, _ in parts]
    assert splice.elements(splice.row(found)) == found


@given(st.lists(objects() | VALUES, max_size=5), st.sampled_from(["uid", "evses"]), VALUES)
def test_an_element_is_found_where_reading_them_all_finds_it(
    parts: list[Text | str], member: str, literal: str
) -> None:
    elements = [part.raw if isinstance(part, Text) else part.encode() for part in parts]
    wanted = splice.text(literal.encode())
    for named in (wanted or "x", "x"):
        elements.append(json.dumps({member: named.swapcase()}).encode())
        said = [exactly(element) for element in elements]
        texts = [value.get(member) if isinstance(value, dict) else None for value in said]
        keys = [halves_gone(text).casefold() if isinstance(text, str) else None for text in texts]

        found = splice.position(elements, member, named)

        assert found == (keys.index(named.casefold()) if named.casefold() in keys else None)


def halves_gone(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)


@given(ANY_STRINGS)
def test_a_text_is_what_the_standard_library_reads(literal: str) -> None:
    assert splice.text(literal.encode()) == halves_gone(json.loads(literal))


@settings(max_examples=200)
@given(mutated() | objects().map(lambda one: one.raw) | st.binary(max_size=12), st.sampled_from([0, 3]))
def test_members_are_read_from_json_objects_alone(body: bytes, spare: int) -> None:
    for raw in (body, b'{"a":' + body + b"}"):
        try:
            expected = strictly(raw)
        except ValueError:
            expected = None
        try:
            found = splice.members(raw, spare=spare)
        except splice.Unreadable:
            assert not isinstance(expected, dict)
        else:
            assert isinstance(expected, dict)
            assert list(found) == list(expected)
