"""What operators ask DSOs for, and what is wrong with asking for it."""

from decimal import Decimal

import pytest

from plugins.load_manager.signals.signal import Block
from tests.unit.plugins.load_manager.doors.small_grid import Site, told
from tests.unit.plugins.load_manager.signals.saying import at

ADJUST = "/grid/groups/T1/adjust"


def block(**changes: object) -> dict[str, object]:
    usual = {"start": "2026-03-02T18:00:00Z", "end": "2026-03-02T20:00:00+01:00", "capacity_kw": Decimal("57.5")}
    return usual | changes


async def test_its_dso_is_asked(s: Site) -> None:
    await s.put_group("T1")
    answer = await s.call("POST", ADJUST, {"blocks": [block()]})
    assert answer.status == 202
    assert told(answer) == {
        "group_id": "T1",
        "capacity_provider": s.one,
        "blocks": [
            {
                "start": "2026-03-02T18:00:00.000Z",
                "end": "2026-03-02T19:00:00.000Z",
                "capacity_kw": Decimal("57.5"),
            }
        ],
    }
    assert s.grid.asked == {"T1": (Block(at("18:00"), at("19:00"), Decimal("57.5")),)}


async def test_a_group_that_is_not_known_or_has_no_dso(s: Site) -> None:
    assert (await s.call("POST", ADJUST, {"blocks": [block()]})).status == 404
    await s.put_group("T1", capacity_provider=None)
    answer = await s.call("POST", ADJUST, {"blocks": [block()]})
    assert (answer.status, told(answer)["field"]) == (409, "group_id")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "blocks"),
        ({"blocks": []}, "blocks"),
        ({"blocks": [block()], "unit": "KW"}, "unit"),
        ({"blocks": ["18:00"]}, "blocks[0]"),
        ({"blocks": [block(value=3)]}, "blocks[0]"),
        ({"blocks": [block(capacity_kw=-1)]}, "blocks[0].capacity_kw"),
        ({"blocks": [block(capacity_kw=None)]}, "blocks[0].capacity_kw"),
        ({"blocks": [block(capacity_kw=Decimal("1E+30"))]}, "blocks[0].capacity_kw"),
        ({"blocks": [block(start="2026-03-02T18:00:00")]}, "blocks[0].start"),
        ({"blocks": [block(end="2026-03-02T18:00:00Z")]}, "blocks[0].end"),
        ({"blocks": [block(start="2026-03-02T10:00:00Z", end="2026-03-02T12:00:00Z")]}, "blocks[0].end"),
        ({"blocks": [block(), block()]}, "blocks[1].start"),
        ([block()], "body"),
    ],
)
async def test_a_wish_with_a_mistake_goes_nowhere(s: Site, body: object, field: str) -> None:
    await s.put_group("T1")
    answer = await s.call("POST", ADJUST, body)
    assert (answer.status, told(answer)["field"]) == (400, field)
    assert field in told(answer)["title"]
    assert s.grid.asked == {}
