"""A reload takes configuration over without losing a message; one that cannot be done changes nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hub import app
from hub.app import Given, RunningHub
from hub.errors import SettingsError
from hub.ocpi import codec
from hub.plugin import Plugin
from hub.plugin.loader import Available
from hub.sandbox.world import World, fixture_world
from hub.settings import Settings
from hub.store.records import Put
from plugins.rate_limit import RateLimit
from tests.hubs import register_all, settled, test_settings
from tests.plugins.hosting import get_location, incarnation, put_session, running
from tests.plugins.reloading import Counting, Steady
from tests.plugins.watching import Slow
from tests.waiting import until

MESSAGES = 5_000
RELOADS = 10
SENDERS = 16


class Written:
    """Settings that a test writes anew."""

    def __init__(self, folder: Path, *plugins: type[Plugin[Any]]) -> None:
        self.folder = folder
        self.given = Given(self.read, "hub.toml", [Available(one.name, one, "a test") for one in plugins])
        self.plugins: tuple[str, ...] = tuple(one.name for one in plugins)
        self.tables: dict[str, dict[str, Any]] = {}

    def read(self) -> Settings:
        return test_settings(self.folder, plugins=self.plugins, plugin=self.tables)


@asynccontextmanager
async def running_as(written: Written) -> AsyncIterator[tuple[RunningHub, World]]:
    async with (
        app.running(written.read(), given=written.given) as hub,
        fixture_world(only=["P1", "P2"]) as world,
    ):
        await register_all(hub, world)
        await settled(hub)
        yield hub, world


async def test_reload_under_load(tmp_path: Path) -> None:
    written = Written(tmp_path, Counting, Steady, Slow)
    async with running_as(written) as (hub, world):
        steady, counting = incarnation(hub, Steady), incarnation(hub, Counting)
        first = running(hub, Counting).count
        left = iter(range(MESSAGES))
        codes: list[int | None] = []

        async def sending(number: int) -> None:
            for count in left:
                answer = await put_session(world, f"S{number}", number=count)
                codes.append(answer.status_code)

        senders = [asyncio.create_task(sending(number)) for number in range(SENDERS)]
        for number in range(RELOADS):
            await until(lambda number=number: len(codes) >= (number + 1) * MESSAGES // (RELOADS + 1))  # type: ignore[misc]
            written.tables = {"counting": {"hook_timeout": 1.0 + number}, "slow": {"hook_timeout": 1.0 + number}}
            await hub.plugins.reload()
        await asyncio.gather(*senders)
        assert codes == [1000] * MESSAGES
        assert running(hub, Counting).config.hook_timeout == RELOADS
        assert incarnation(hub, Counting) is not counting
        assert incarnation(hub, Steady) is steady  # what did not change was not touched
        assert running(hub, Counting).count - first >= MESSAGES - RELOADS * SENDERS
        slow = running(hub, Slow)
        await until(lambda: hub.plugins.inboxes["slow"].waiting == 0)
        assert slow.gaps == []
        for told in slow.seen.values():
            assert told == sorted(told)


async def test_the_state_is_handed_over_and_the_old_one_ends(tmp_path: Path) -> None:
    written = Written(tmp_path, Counting)
    async with running_as(written) as (hub, world):
        old = running(hub, Counting)
        await get_location(world)
        before = old.count
        written.tables = {"counting": {"step": 100}}
        await hub.plugins.reload()
        new = running(hub, Counting)
        assert new is not old
        assert old.stopped == 1
        assert new.count == before
        await get_location(world)
        assert new.count == before + 100


async def test_a_rate_limiter_keeps_its_counters(tmp_path: Path) -> None:
    written = Written(tmp_path, RateLimit)
    written.tables = {"rate_limit": {"per_minute": 60, "burst": 5}}
    async with running_as(written) as (hub, world):
        assert [(await put_session(world)).status for _ in range(5)].count(429) == 0
        limited = await put_session(world)
        assert limited.status == 429
        assert int(limited.headers["Retry-After"]) >= 1
        written.tables = {"rate_limit": {"per_minute": 60, "burst": 5, "hook_timeout": 2.0}}
        await hub.plugins.reload()
        assert (await put_session(world)).status == 429


@pytest.mark.parametrize(
    ("tables", "plugins", "said"),
    [
        ({"counting": {"stp": 2}}, ("counting",), "plugin.counting.stp"),
        ({"counting": {"step": "many"}}, ("counting",), "plugin.counting.step"),
        ({"counting": {"refuses_to_start": True}}, ("counting",), "it does not want to"),
        ({}, ("counting", "countng"), "countng"),
        ({"nobody": {}}, ("counting",), "[plugin.nobody]"),
    ],
)
async def test_a_reload_that_cannot_be_done_keeps_what_runs(
    tmp_path: Path, tables: dict[str, Any], plugins: tuple[str, ...], said: str
) -> None:
    written = Written(tmp_path, Counting, Steady)
    async with running_as(written) as (hub, world):
        kept = hub.plugins.running
        written.tables, written.plugins = tables, plugins
        with pytest.raises(SettingsError) as refused:
            await hub.plugins.reload()
        assert said in str(refused.value)
        assert "\n" not in str(refused.value).splitlines()[0]
        assert hub.plugins.running == kept
        assert running(hub, Counting).stopped == 0
        before = running(hub, Counting).count
        await get_location(world)
        assert running(hub, Counting).count == before + 1


async def test_plugins_come_and_go(tmp_path: Path) -> None:
    written = Written(tmp_path, Counting, Slow)
    async with running_as(written) as (hub, world):
        counting = running(hub, Counting)
        written.plugins = ("slow",)
        await hub.plugins.reload()
        assert [one.name for one in hub.plugins.running] == ["slow"]
        assert counting.stopped == 1
        written.plugins = ("slow", "counting")
        await hub.plugins.reload()
        assert [one.name for one in hub.plugins.running] == ["slow", "counting"]
        assert (await put_session(world, number=1)).status_code == 1000


async def test_what_an_operator_set_and_cannot_be_used_any_more_does_not_keep_the_hub_from_starting(
    tmp_path: Path,
) -> None:
    written = Written(tmp_path, Counting)
    async with running_as(written) as (hub, _):
        await hub.plugins.choose(hub.plugins.choices.with_config("counting", {"step": 5}))
        stored = hub.plugins.choices.with_config("counting", {"gone": 1})
        await hub.store.shelf.save("hub", [Put("plugins", codec.dumps(asdict(stored)), stored.revision)])
    async with app.running(written.read(), given=written.given) as hub:
        assert running(hub, Counting).config.step == 1
        (alarm,) = [one for one in hub.alarms.newest_first if one.kind == "plugin_choices"]
        assert "plugin.counting.gone" in alarm.text
