"""Every mistake in a signal has a sentence with its field, and nothing of a signal with a mistake is taken."""

from dataclasses import replace
from decimal import Decimal

import pytest

from hub.ocpi import codec
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.signals.judging import SignalRefused, Why, judge
from plugins.load_manager.signals.native import read_signal
from plugins.load_manager.signals.signal import Block, CapacitySignal, Counting, SignalKind, SignalPhase, Unit
from tests.unit.plugins.load_manager.signals.saying import DSO, T1, at, block, by_operator, signal

GRID = GridModel([T1, replace(T1, id="T2", capacity_provider="dso-y"), replace(T1, id="T3", capacity_provider=None)])


def refused(said: CapacitySignal, most_blocks: int = 1000) -> list[str]:
    with pytest.raises(SignalRefused) as caught:
        judge(said, GRID, most_blocks)
    return [str(refusal) for refusal in caught.value.refusals]


def test_a_good_one_names_its_group() -> None:
    assert judge(signal("12:00-12:15 0", "12:15-12:30 20"), GRID) == T1
    assert judge(replace(by_operator("12:00-12:15 20"), group_id="T3"), GRID).id == "T3"


@pytest.mark.parametrize(
    ("said", "why", "sentence"),
    [
        (replace(signal("12:00-12:15 20"), group_id="T9"), Why.UNKNOWN_GROUP, "group_id T9 is not known"),
        (
            replace(signal("12:00-12:15 20"), group_id="T2"),
            Why.NOT_YOURS,
            "group_id T2 belongs to another capacity provider",
        ),
        (
            replace(signal("12:00-12:15 20"), group_id="T3"),
            Why.NOT_YOURS,
            "group_id T3 belongs to another capacity provider",
        ),
        (signal(), Why.WRONG, "blocks has 0 blocks; 1 to 1000 are taken"),
        (signal("12:00-12:15 20", message_id=""), Why.WRONG, "message_id is required"),
    ],
)
def test_whose_group_and_how_much(said: CapacitySignal, why: Why, sentence: str) -> None:
    assert refused(said) == [sentence]
    with pytest.raises(SignalRefused) as caught:
        judge(said, GRID)
    assert caught.value.why is why


def test_blocks_with_mistakes_are_told_all_at_once() -> None:
    start, end = at("14:00"), at("14:15")
    said = replace(
        signal("12:00-12:15 -1", "12:30-12:15 20", "13:00-13:00 20"),
        blocks=(
            *map(block, ("12:00-12:15 -1", "12:30-12:15 20", "13:00-13:00 20")),
            *(Block(start, end, Decimal(value)) for value in ("NaN", "Infinity", "-Infinity", "1E+999999")),
            Block(start.replace(tzinfo=None), end, Decimal(1)),
        ),
    )
    assert refused(said) == [
        "blocks[0].value is a number, 0 or above",
        "blocks[1].end is not after its start",
        "blocks[2].end is not after its start",
        "blocks[3].value is a number, 0 or above",
        "blocks[4].value is a number, 0 or above",
        "blocks[5].value is a number, 0 or above",
        "blocks[6].value is above ten gigawatts",
        "blocks[7].start has no offset",
    ]


def test_blocks_that_overlap() -> None:
    assert refused(signal("12:15-12:30 20", "12:00-12:16 20")) == ["blocks[0].start is before the end of blocks[1]"]
    assert refused(signal("12:00-12:30 20", "12:00-12:30 20")) == ["blocks[1].start is before the end of blocks[0]"]
    assert judge(signal("12:15-12:30 20", "12:00-12:15 20"), GRID) == T1


def test_no_more_blocks_than_agreed() -> None:
    assert refused(signal("12:00-12:15 20", "12:15-12:30 20"), 1) == ["blocks has 2 blocks; 1 to 1 are taken"]


def test_energy_in_the_shortest_of_times_is_too_much() -> None:
    kwh = replace(signal("12:00-12:15 1"), unit=Unit.KWH)
    start = kwh.blocks[0].start
    moment = replace(kwh.blocks[0], end=start.replace(microsecond=1), value=Decimal(10))
    assert refused(replace(kwh, blocks=(moment,))) == ["blocks[0].value is above ten gigawatts"]


BODY = {
    "group_id": "T1",
    "kind": "LIMIT",
    "unit": "KW",
    "blocks": [{"start": "2026-03-02T13:00:00+01:00", "end": "2026-03-02T12:15:00Z", "value": 20}],
    "message_id": "m1",
}


def read(body: object) -> CapacitySignal:
    return read_signal(body, "native", DSO, at("12:00"), raw="as it came")


def mistakes(body: object) -> list[str]:
    with pytest.raises(SignalRefused) as caught:
        read(body)
    return [str(refusal) for refusal in caught.value.refusals]


def test_the_body_of_the_contract() -> None:
    expected = replace(signal("12:00-12:15 20"), source="native", raw="as it came")
    assert read(BODY) == expected
    assert read(codec.loads(codec.dumps(BODY))) == expected
    more = {
        "kind": "FALLBACK",
        "phase": "ONE",
        "counting": "AVERAGE",
        "version": 7,
        "issued_at": "2026-03-02T11:59:00Z",
    }
    assert read(BODY | more | {"issued_at": "2026-03-02T11:59:00Z"}) == replace(
        expected,
        kind=SignalKind.FALLBACK,
        phase=SignalPhase.ONE,
        counting=Counting.AVERAGE,
        version=7,
        issued_at=at("11:59"),
    )
    assert read({name: value for name, value in BODY.items() if name != "kind"}) == expected


@pytest.mark.parametrize(
    ("changed", "sentences"),
    [
        ({"group_id": None}, ["group_id is required, a text of 1 to 100 characters that can be printed"]),
        ({"message_id": ""}, ["message_id is required, a text of 1 to 100 characters that can be printed"]),
        ({"kind": "limit"}, ["kind is one of LIMIT, FALLBACK, SUBSCRIPTION, EMERGENCY, OPTIMUM"]),
        ({"unit": None}, ["unit is one of A, W, KW, WH, KWH"]),
        ({"unit": "MW"}, ["unit is one of A, W, KW, WH, KWH"]),
        ({"version": True}, ["version is a whole number, 0 or above"]),
        ({"group": "T1"}, ["group is no field of a signal"]),
        ({"blocks": []}, ["blocks is a list of 1 to 1000 blocks"]),
        ({"blocks": {}}, ["blocks is a list of 1 to 1000 blocks"]),
        ({"blocks": [7]}, ["blocks[0] is an object of start, end, value"]),
        (
            {"blocks": [{"start": "2026-03-02T12:00:00", "end": "soon", "value": "20"}]},
            [
                "blocks[0].value is a number, 0 or above",
                "blocks[0].start is a time with its offset, such as 2026-01-31T12:00:00Z",
                "blocks[0].end is a time with its offset, such as 2026-01-31T12:00:00Z",
            ],
        ),
        (
            {"issued_at": "0001-01-01T00:00:00+14:00"},
            ["issued_at is a time with its offset, such as 2026-01-31T12:00:00Z"],
        ),
    ],
)
def test_every_mistake_in_a_body(changed: dict[str, object], sentences: list[str]) -> None:
    assert mistakes(BODY | changed) == sentences


def test_no_object_and_no_float() -> None:
    assert mistakes([]) == ["body is an object"]
    block = {"start": "2026-03-02T12:00:00Z", "end": "2026-03-02T12:15:00Z", "value": 20.5}
    assert mistakes(BODY | {"blocks": [block]}) == ["blocks[0].value is a number, 0 or above"]
