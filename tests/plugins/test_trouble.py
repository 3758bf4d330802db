"""A plugin that misbehaves harms neither the message, nor the other plugins, nor the hub."""

import asyncio
import gc
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
import structlog

from hub.app import RunningHub
from hub.clock import ManualClock
from hub.plugin import Plugin
from hub.plugin.standing import COOL_DOWN_S, MOST_BLOCKS, MOST_FAILURES
from tests.plugins import unruly
from tests.plugins.hosting import hosting, incarnation, put_session, running
from tests.waiting import until

QUICK = {"hook_timeout": 0.05}
MISBEHAVING: list[tuple[type[Plugin[Any]], str]] = [
    (unruly.Raises, "raised"),
    (unruly.RaisesLater, "raised"),
    (unruly.Hangs, "timeout"),
    (unruly.Nonsense, "nonsense"),
    (unruly.WrongVerdict, "nonsense"),
    (unruly.Swallows, "abandoned"),
    (unruly.CancelsItself, "raised"),
    (unruly.Leaks, "raised"),
]


def failures(hub: RunningHub, plugin: str, kind: str) -> float:
    """What the metrics say."""
    for line in hub.metrics.expose().decode().splitlines():
        if line.startswith("ocpi_hub_plugin_failures_total") and f'plugin="{plugin}"' in line and f'"{kind}"' in line:
            return float(line.rpartition(" ")[2])
    return 0.0


@pytest.mark.parametrize(("plugin", "kind"), MISBEHAVING, ids=[one.name for one, _ in MISBEHAVING])
async def test_the_message_goes_on(tmp_path: Path, plugin: type[Plugin[Any]], kind: str) -> None:
    config = {plugin.name: QUICK}
    with structlog.testing.capture_logs() as lines:
        async with hosting(tmp_path, plugin, unruly.Behaves, config=config) as (hub, world):
            for _ in range(MOST_FAILURES):
                assert (await put_session(world)).status_code == 1000
            assert running(hub, unruly.Behaves).routed == MOST_FAILURES
            assert len(world["P2"].received) == MOST_FAILURES
            assert failures(hub, plugin.name, kind) >= 1
            guard = incarnation(hub, plugin).guard
            assert guard.tripped
            assert guard.standing.trips == 1
            assert ("plugin_tripped", plugin.name) in [(one.kind, one.subject) for one in hub.alarms.newest_first]
            calls = guard.standing.timing("on_routed").calls
            assert (await put_session(world)).status_code == 1000
            assert guard.standing.timing("on_routed").calls == calls  # it is left alone
    assert "c2VjcmV0" not in str(lines)
    gc.collect()
    left = [task for task in asyncio.all_tasks() if "unruly" in str(task.get_coro())]
    assert not left


@pytest.mark.parametrize(("plugin", "kind"), MISBEHAVING, ids=[one.name for one, _ in MISBEHAVING])
async def test_or_is_refused_where_the_plugin_says_so(tmp_path: Path, plugin: type[Plugin[Any]], kind: str) -> None:
    config = {plugin.name: {**QUICK, "on_error": "reject"}}
    async with hosting(tmp_path, plugin, config=config) as (hub, world):
        for _ in range(MOST_FAILURES + 1):  # the last one while it is tripped
            assert (await put_session(world)).status_code == 4000
        assert not world["P2"].received
        assert failures(hub, plugin.name, kind) >= 1


async def test_it_is_tried_again_after_the_cool_down(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hosting(tmp_path, unruly.Raises, clock=clock) as (hub, world):
        guard = incarnation(hub, unruly.Raises).guard
        for _ in range(MOST_FAILURES):
            await put_session(world)
        assert guard.tripped
        await clock.advance(COOL_DOWN_S + 1)
        assert not guard.tripped
        await put_session(world)
        assert guard.tripped  # one failure is enough now
        await clock.advance(COOL_DOWN_S + 1)
        running(hub, unruly.Raises).may_pass = True
        await put_session(world)
        assert guard.standing.failures == 0
        standing = [one.kind for one in hub.alarms.newest_first if one.standing and one.subject == "raises"]
        assert not standing


async def test_one_that_fails_to_start_is_left_out_and_tried_again(tmp_path: Path) -> None:
    clock = ManualClock()
    unruly.FailsToStart.may_start = False
    async with hosting(tmp_path, unruly.FailsToStart, unruly.Behaves, clock=clock) as (hub, world):
        assert (await put_session(world)).status_code == 1000
        one = incarnation(hub, unruly.FailsToStart)
        assert one.failed is not None
        assert "what it needs is not there" in one.failed
        assert [alarm.subject for alarm in hub.alarms.newest_first if alarm.standing] == ["fails_to_start"]
        unruly.FailsToStart.may_start = True
        await clock.advance(40)
        await until(lambda: one.failed is None)
        assert (await put_session(world)).status_message == "it runs"
        assert not [alarm for alarm in hub.alarms.newest_first if alarm.standing]


async def test_one_that_fails_to_start_and_must_not_be_missing_refuses(tmp_path: Path) -> None:
    unruly.FailsToStart.may_start = False
    config = {"fails_to_start": {"on_error": "reject"}}
    async with hosting(tmp_path, unruly.FailsToStart, config=config) as (_, world):
        assert (await put_session(world)).status_code == 4000
        assert not world["P2"].received


async def test_one_that_blocks_the_loop_is_named_with_its_stack_and_trips(tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as lines:
        async with hosting(tmp_path, unruly.Blocks, unruly.Behaves) as (hub, world):
            guard = incarnation(hub, unruly.Blocks).guard
            for number in range(MOST_BLOCKS):
                started = perf_counter()
                blocked, other = await asyncio.gather(put_session(world, "BLOCK"), put_session(world))
                taken = perf_counter() - started
                assert (blocked.status_code, other.status_code) == (1000, 1000)
                assert taken < 2 * unruly.Blocks.seconds
                await until(lambda number=number: guard.standing.timing("on_routed").failures == number + 1)  # type: ignore[misc]
            assert guard.tripped
            assert failures(hub, "blocks", "blocked") == MOST_BLOCKS
            kinds = {one.kind for one in hub.alarms.newest_first if one.subject == "blocks"}
            assert kinds == {"plugin_blocked", "plugin_tripped"}
            assert running(hub, unruly.Behaves).routed == 2 * MOST_BLOCKS
    named = [line for line in lines if line["event"] == "a plugin holds the event loop"]
    assert len(named) == MOST_BLOCKS
    assert all(line["plugin"] == "blocks" and line["hook"] == "on_routed" for line in named)
    assert all("unruly.py" in line["stack"] and "while perf_counter() < end" in line["stack"] for line in named)
