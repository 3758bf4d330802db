"""Any sequence of pushes against the rules written down once more, on parsed values; and what never happens."""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub.domain import pushes as rules
from hub.domain.catalog import ObjectKey, Push, Verdict
from hub.domain.pushes import covers, judge, part_of
from hub.ocpi import codec, times
from hub.ocpi.party_id import PartyId
from tests.properties.json_texts import documents
from tests.properties.test_envelope import mutated

KEY = ObjectKey("locations", PartyId("NL", "CPA"), "LOC1")
LEVELS = (("evses", "uid"), ("connectors", "id"))
EXTRAS = [
    '"status":"A"',
    '"status":"\\ud83d"',
    '"price":0.10',
    '"n":1e400',
    '"n":12345678901234567890.5',
    '"x":[ { } ]',
]

Path = tuple[str, ...]
PATHS: st.SearchStrategy[Path] = st.sampled_from(
    [(), (), ("E1",), ("e1",), ("E2",), ("E1", "1"), ("E1", "2"), ("E2", "1"), ("e2", "1")]
)


# Strategies are put together once, not while an example is drawn: that would be most of the time an example takes.


@cache
def moments(minutes: tuple[int, int]) -> st.SearchStrategy[str]:
    """`last_updated` within these minutes, each in several spellings."""
    spellings = st.sampled_from(["2026-01-01T00:0{}:00Z", "2026-01-01T01:0{}:00.000+01:00", "2026-01-01 00:0{}:00"])
    return st.tuples(st.integers(*minutes), spellings).map(lambda drawn: f'"{drawn[1].format(drawn[0])}"')


SOME_EXTRAS = st.lists(st.sampled_from(EXTRAS), max_size=2)
SOME_IDS = st.lists(st.sampled_from(["E1", "E2", "1"]), unique=True, max_size=3)


@cache
@st.composite
def members(draw: st.DrawFn, level: int, minutes: tuple[int, int]) -> list[str]:
    """A time, something else, and sometimes the children of this level."""
    found = [f'"last_updated":{draw(moments(minutes))}', *draw(SOME_EXTRAS)]
    if level < len(LEVELS) and draw(st.booleans()):
        array, name = LEVELS[level]
        ids = draw(SOME_IDS)
        children = (f'{{"{name}":"{one}",{",".join(draw(members(level + 1, minutes)))}}}' for one in ids)
        found.append(
            f'"{array}":{draw(st.sampled_from(["null", "[]"]))}' if not ids else f'"{array}":[{",".join(children)}]'
        )
    return draw(st.permutations(found))


@cache
@st.composite
def pushes(
    draw: st.DrawFn,
    paths: st.SearchStrategy[Path] = PATHS,
    methods: tuple[str, ...] = ("PUT", "PATCH"),
    minutes: tuple[int, int] = (0, 6),
) -> Push:
    """A push to the location or a part of it, whose body is in order."""
    parts, method = draw(paths), draw(st.sampled_from(methods))
    said = draw(members(len(parts), minutes))
    if method == "PUT":
        named = ['"country_code":"NL"', '"party_id":"cpa"', '"id":"LOC1"']
        said = ([f'"{LEVELS[len(parts) - 1][1]}":"{parts[-1]}"'] if parts else named) + said
    return Push(method, KEY, parts, f"{{{','.join(said)}}}".encode())


def exactly(raw: bytes | None) -> Any:
    """The value with each number as the text it was written as; None for no text."""
    if raw is None:
        return None
    return json.loads(raw, parse_int=lambda text: ("number", text), parse_float=lambda text: ("number", text))


def moment(one: dict[str, Any]) -> datetime:
    found = times.parse(one["last_updated"])
    assert found is not None
    return found


def child_of(parent: dict[str, Any], level: int, part: str) -> int | None:
    array, name = LEVELS[level]
    found = (at for at, child in enumerate(parent.get(array) or []) if child[name].casefold() == part.casefold())
    return next(found, None)


def told(push: Push, held: dict[str, Any] | None) -> tuple[str, dict[str, Any] | None]:
    """What is to become of a push, and the location from then on."""
    body, parents, current = exactly(push.body), [], held
    for level, part in enumerate(push.parts):
        if current is None:
            return "not held", held
        parents.append(current)
        at = child_of(current, level, part)
        current = None if at is None else current[LEVELS[level][0]][at]
    if current is None and push.method == "PATCH":
        return "not held", held
    if current is not None and moment(body) < moment(current):
        return "stale", held
    new, latest = body if push.method == "PUT" else {**(current or {}), **body}, body
    for level, part in reversed(list(enumerate(push.parts))):
        parent, array = parents[level], LEVELS[level][0]
        children, at = list(parent.get(array) or []), child_of(parent, level, part)
        children = [*children, new] if at is None else [*children[:at], new, *children[at + 1 :]]
        latest = max(latest, parent, key=moment)  # the first of equals
        new = {**parent, array: children, "last_updated": latest["last_updated"]}
    return "new" if current is None else "changed", new


def said_by(verdict: Verdict) -> str:
    """The same words for a verdict, all of which has to fit together."""
    done = verdict.raw is not None
    assert verdict.fan_out is done
    assert (verdict.last_updated is not None) is done
    assert not verdict.removed
    match verdict.http, int(verdict.code), verdict.stale, done:
        case 201, 1000, False, True:
            return "new"
        case 200, 1000, False, True:
            return "changed"
        case 200, 1000, True, False:
            return "stale"
        case 404, 2003, False, False:
            return "not held"
    raise AssertionError(verdict)


def after(sequence: Iterable[Push], held: bytes | None = None) -> bytes | None:
    """What is held in the end."""
    for push in sequence:
        verdict = judge(push, held)
        held = None if verdict.removed else verdict.raw or held
    return held


@settings(max_examples=200)
@given(st.lists(pushes(), max_size=8))
def test_pushes_do_what_the_rules_say(sequence: list[Push]) -> None:
    held: bytes | None = None
    for push in sequence:
        verdict = judge(push, held)
        word, expected = told(push, exactly(held))

        assert said_by(verdict) == word
        if verdict.raw is not None:
            held = verdict.raw
            assert verdict.last_updated == moment(exactly(held))
        assert exactly(held) == expected
        assert list(exactly(held) or ()) == list(expected or ())
        if verdict.raw is not None and push.method == "PUT":
            assert part_of(held or b"", push.parts) == push.body


@settings(max_examples=200)
@given(st.lists(pushes(), max_size=8))
def test_time_never_moves_back_and_no_parent_is_older_than_what_was_pushed(sequence: list[Push]) -> None:
    held: bytes | None = None
    newest: datetime | None = None
    for push in sequence:
        before = held
        verdict = judge(push, held)
        held = verdict.raw or held
        for depth in range(len(push.parts) + 1):
            level = push.parts[:depth]
            old, new = part_of(before or b"", level) if before else None, part_of(held, level) if held else None
            if old is not None:
                assert new is not None
                assert moment(exactly(new)) >= moment(exactly(old))
            if verdict.fan_out:
                assert new is not None
                assert moment(exactly(new)) >= moment(exactly(push.body))
        if verdict.fan_out:
            newest = max(newest or moment(exactly(push.body)), moment(exactly(push.body)))
        assert held is None or newest is None or moment(exactly(held)) >= newest


@given(st.data(), st.permutations(range(7)))
def test_wholes_in_any_order_end_with_the_newest(data: st.DataObject, minutes: list[int]) -> None:
    wholes = [data.draw(pushes(st.just(()), ("PUT",), (minute, minute))) for minute in minutes[:4]]

    assert after(wholes) == max(wholes, key=lambda one: moment(exactly(one.body))).body


FULL = (
    b'{"evses":[{"uid":"E1","connectors":[{"id":"1","last_updated":"2026-01-01"}],"last_updated":"2026-01-01"},'
    b'{"uid":"E2","last_updated":"2026-01-01"}],"last_updated":"2026-01-01"}'
)


@cache
def paths_to(parts: Path) -> st.SearchStrategy[Path]:
    """The path itself and those of what it is in."""
    return st.sampled_from([parts[:depth] for depth in range(len(parts) + 1)])


@st.composite
def queues(draw: st.DrawFn) -> tuple[bytes | None, list[Push]]:
    """What is held, and pushes accepted one after the other, the last of which covers the first."""
    held = after(draw(st.lists(pushes(minutes=(0, 3)), max_size=2)), draw(st.sampled_from([FULL, FULL, None])))
    waiting = draw(pushes(minutes=(2, 4)))
    if waiting.method == "PATCH" and draw(st.booleans()):
        more = draw(members(len(waiting.parts), (5, 6)))
        last = Push("PATCH", KEY, waiting.parts, b"%b,%b}" % ((waiting.body or b"")[:-1], ",".join(more).encode()))
    else:
        last = draw(pushes(paths_to(waiting.parts), ("PUT",), (5, 6)))
    assert covers(last, waiting)
    queue, state = [], held
    for push in (waiting, *draw(st.lists(pushes(minutes=(3, 6)), max_size=3)), last):
        verdict = judge(push, state)
        assume(verdict.fan_out or push not in (waiting, last))
        if verdict.fan_out:
            queue.append(push)
            state = verdict.raw
    return held, queue


def without_order(value: Any) -> Any:
    """EVSEs and connectors by id: a receiver may have them in another order."""
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for array, name in LEVELS:
        if found.get(array):
            found[array] = {child[name].casefold(): without_order(child) for child in found[array]}
    return found


@settings(max_examples=200)
@given(queues())
def test_what_is_covered_need_not_be_told(drawn: tuple[bytes | None, list[Push]]) -> None:
    held, (waiting, *between, last) = drawn

    both, alone = after([waiting, last], held), after([last], held)
    assert exactly(alone) == exactly(both)
    if last.method == "PUT":
        assert alone == both
    # Nor when others were accepted after the first and are told before the last.
    both, alone = after([waiting, *between, last], held), after([*between, last], held)
    assert without_order(exactly(alone)) == without_order(exactly(both))


@given(pushes(), pushes(), pushes())
def test_covering_is_transitive_and_a_push_covers_itself(one: Push, two: Push, three: Push) -> None:
    assert covers(one, one)
    if covers(one, two) and covers(two, three):
        assert covers(one, three)


@given(pushes(), st.none() | pushes(st.just(()), ("PUT",), (0, 3)).map(lambda one: one.body), st.integers(0, 600))
def test_what_is_too_large_is_refused_and_nothing_else(push: Push, held: bytes | None, most: int) -> None:
    free = judge(push, held)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "_MOST_BYTES", most)
        bounded = judge(push, held)
    if max(len(push.body or b""), len(free.raw or b"")) > most:
        assert (bounded.http, bounded.code, bounded.raw, bounded.fan_out) == (200, 2001, None, False)
        assert f"{most} bytes at most" in (bounded.message or "")
    else:
        assert bounded == free


TEXTS = st.text(max_size=4) | st.sampled_from(["NL", "CPA", "LOC1", "RFID", "\udc80", "", "x" * 300])
BODIES = st.one_of(
    st.binary(max_size=20), mutated(), documents(), pushes().map(lambda one: one.body or b""), st.just(b"[" * 100_000)
)


@st.composite
def anything(draw: st.DrawFn) -> Push:
    key = ObjectKey(
        draw(st.sampled_from(["locations", "tariffs", "tokens", "sessions", ""])),
        PartyId(draw(TEXTS), draw(TEXTS)),
        draw(TEXTS),
        draw(TEXTS),
    )
    return Push(
        draw(st.sampled_from(["PUT", "PATCH", "DELETE", "POST", "\udc80"])),
        draw(st.just(KEY) | st.just(key)),
        draw(st.lists(TEXTS | st.sampled_from(["E1", "1"]), max_size=3).map(tuple)),
        draw(st.none() | BODIES),
    )


@settings(max_examples=300)
@given(anything(), anything(), st.none() | BODIES)
def test_nothing_raises(one: Push, other: Push, held: bytes | None) -> None:
    verdict = judge(one, held)

    assert verdict.fan_out is (verdict.removed or verdict.raw is not None)
    assert verdict.code == 1000 or not verdict.fan_out
    assert len(verdict.message or "") <= 255
    codec.dumps(verdict.message)
    assert covers(one, other) in (True, False)
    assert held is None or part_of(held, one.parts) is None or one.parts[2:] == ()
