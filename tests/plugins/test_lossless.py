"""LOSSLESS watchers see every exchange of an object, in order, with back-pressure instead of loss."""

import asyncio
from pathlib import Path

import pytest

from hub.clock import ManualClock
from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.plugin import inbox as inboxes
from hub.plugin.standing import COOL_DOWN_S, MOST_FAILURES
from hub.sandbox import objects
from tests.hubs import settled
from tests.plugins.hosting import hosting, put_session, running
from tests.plugins.watching import Slow
from tests.waiting import until

R = Interface.RECEIVER
SESSIONS = 12
EACH = 25


def restricted(monkeypatch: pytest.MonkeyPatch, capacity: int) -> None:
    """Inboxes with little room."""
    kept = inboxes.Inbox.__init__

    def made(self: inboxes.Inbox, plugin: str) -> None:
        kept(self, plugin, capacity=capacity, patience_s=30.0)

    monkeypatch.setattr(inboxes.Inbox, "__init__", made)


async def test_every_exchange_of_an_object_in_order_under_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    restricted(monkeypatch, 8)
    async with hosting(tmp_path, Slow) as (hub, world):
        most = 0
        inbox = hub.plugins.inboxes["slow"]

        async def pushing(session: str) -> None:
            nonlocal most
            for number in range(EACH):
                assert (await put_session(world, session, number=number)).status_code == 1000
                most = max(most, inbox.waiting)

        await asyncio.gather(*(pushing(f"S{number}") for number in range(SESSIONS)))
        slow = running(hub, Slow)
        await until(lambda: inbox.waiting == 0)
        assert slow.seen == {f"sessions S{number}": list(range(EACH)) for number in range(SESSIONS)}
        assert slow.gaps == []
        assert most <= 8  # senders were held back


async def test_broadcasts_that_overtake_each_other_are_told_in_order(tmp_path: Path) -> None:
    async with hosting(tmp_path, Slow, only=("P1", "P2", "P3", "P5")) as (hub, world):
        world["P3"].faults.on(names.LOCATIONS).delay(0.05)
        for number in range(20):
            body = objects.location("NL/CPA", "LOC1") | {
                "number": number,
                "last_updated": f"2026-02-01T12:00:{number:02d}Z",
            }
            answer = await world["P1"].call(
                "PUT", names.LOCATIONS, R, "NL/CPA/LOC1", to="NL/HUB", sender="NL/CPA", body=body
            )
            assert answer.status_code == 1000
        await settled(hub)
        slow = running(hub, Slow)
        await until(lambda: len(slow.seen.get("locations LOC1", ())) == 20)
        assert slow.seen["locations LOC1"] == list(range(20))


async def test_what_is_lost_all_the_same_is_told_as_a_gap(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hosting(tmp_path, Slow, clock=clock) as (hub, world):
        slow, inbox = running(hub, Slow), hub.plugins.inboxes["slow"]
        slow.failing = True
        for number in range(MOST_FAILURES + 3):
            await put_session(world, number=number)
        await until(lambda: inbox.waiting == 0)
        assert slow.gaps == []  # it is left alone now
        slow.failing = False
        await clock.advance(COOL_DOWN_S + 1)
        await put_session(world, number=99)
        await until(lambda: bool(slow.gaps) and bool(slow.seen))
        assert sum(gap.lost for gap in slow.gaps) == MOST_FAILURES + 3
        assert slow.gaps[0].modules == {"sessions"}
        assert slow.seen == {"sessions S1": [99]}


async def test_one_that_takes_nothing_at_all_does_not_hold_senders_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = inboxes.Inbox.__init__
    monkeypatch.setattr(inboxes.Inbox, "__init__", lambda self, plugin: kept(self, plugin, capacity=2, patience_s=0.05))
    async with hosting(tmp_path, Slow, config={"slow": {"hook_timeout": 5.0}}) as (hub, world):
        slow, inbox = running(hub, Slow), hub.plugins.inboxes["slow"]
        slow.gate = gate = asyncio.Event()
        for number in range(6):
            answer = await put_session(world, number=number)
            assert answer.status_code == 1000
        gate.set()
        await until(lambda: inbox.waiting == 0 and bool(slow.gaps))
        told = len(slow.seen["sessions S1"])
        assert told + sum(gap.lost for gap in slow.gaps) == 6
