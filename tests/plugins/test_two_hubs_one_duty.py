"""Two hubs on one store: one holds a plugin's duty, and what a stale holder wants to send or save is refused."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from hub import app
from hub.app import Given, RunningHub
from hub.clock import ManualClock
from hub.plugin.loader import Available
from hub.sandbox.world import fixture_world
from tests.hubs import register_all, test_settings
from tests.plugins.hosting import running
from tests.plugins.reloading import Holder
from tests.waiting import until


@asynccontextmanager
async def node(folder: Path, url: str, clock: ManualClock) -> AsyncIterator[RunningHub]:
    settings = test_settings(folder, database_url=url, plugins=("holder",))
    given = Given(more=[Available("holder", Holder, "a test")])
    async with app.running(settings, given=given, clock=clock) as hub:
        yield hub


async def moving(condition: Callable[[], bool], *clocks: ManualClock) -> None:
    """Lets time pass on these clocks until the condition holds."""

    async def moved() -> bool:
        for clock in clocks:
            await clock.advance(0.5)
        return condition()

    await until(moved)


async def test_one_holds_it_and_the_stale_one_is_refused(tmp_path: Path, mongodb_url: str) -> None:
    clocks = ManualClock(), ManualClock(datetime(2031, 7, 1, tzinfo=UTC))  # whose walls say something else
    async with (
        node(tmp_path / "one", mongodb_url, clocks[0]) as one,
        node(tmp_path / "two", mongodb_url, clocks[1]) as two,
        fixture_world(only=["P1"]) as world,
    ):
        await register_all(one, world)
        holders = running(one, Holder), running(two, Holder)
        await moving(lambda: any(holder.term is not None for holder in holders), *clocks)
        first = 0 if holders[0].term is not None else 1
        holder, other = holders[first], holders[1 - first]
        assert other.term is None
        assert await holder.save(1)

        # The holder's clock stands still: it is stalled.
        await moving(lambda: other.term is not None, clocks[1 - first])
        assert other.term is not None
        assert holder.term is not None
        assert other.term.number == holder.term.number + 1
        assert not holder.term.over  # it does not know yet
        assert not await holder.save(2)
        assert await holder.steer() is None
        assert await other.save(3)
        kept = await other.hub.shelf.load("plan")
        assert kept is not None
        assert kept.value == 3
        stale = holder.term
        await moving(lambda: stale.over, clocks[first])
