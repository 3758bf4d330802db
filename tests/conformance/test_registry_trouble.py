"""The registry and the liveness of platforms when the store fails, a record is broken, or the hub itself is full."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from hub import app
from hub.app import RunningHub
from hub.clock import ManualClock
from hub.domain.platform import Platform
from hub.errors import StoreUnavailable
from hub.sandbox.world import World, newcomer
from hub.settings import Settings
from tests.conformance.trouble import Trouble, accepted, alarm, is_away, stored
from tests.hubs import id_of, invite, register
from tests.waiting import until


async def test_a_reread_does_not_take_a_new_token_back(hub: RunningHub, monkeypatch: pytest.MonkeyPatch) -> None:
    read, reading, gate = hub.store.platforms.load_all, asyncio.Event(), asyncio.Event()

    async def slow() -> list[Platform]:
        platforms = await read()
        reading.set()
        await gate.wait()
        return platforms

    async with newcomer() as platform:
        token_a = await invite(hub, "P9")
        monkeypatch.setattr(hub.store.platforms, "load_all", slow)
        loading = asyncio.create_task(hub.registry.load())
        await asyncio.wait_for(reading.wait(), 5)
        handshake = await platform.register(hub.identity.versions_url, token_a)
        assert handshake.ok, handshake.problem
        assert await accepted(hub, platform, handshake.data["token"])
        gate.set()
        await loading
        assert await accepted(hub, platform, handshake.data["token"])
        assert not await accepted(hub, platform, token_a)


def file_of(hub: RunningHub) -> Path:
    store: Any = hub.store
    path: Path = store.database.path
    return path


def rewrite(file: Path, platform_id: str, old: str, new: str) -> None:
    """Somebody changes a stored record by hand."""
    with sqlite3.connect(file, timeout=5) as database:
        database.execute("UPDATE platforms SET doc = replace(doc, ?, ?) WHERE id = ?", (old, new, platform_id))
        database.execute("UPDATE meta SET value = value + 1 WHERE name = 'generation'")
    database.close()


async def test_an_unreadable_platform_stops_neither_registry_nor_start(
    hub: RunningHub, world: World, settings: Settings, tmp_path: Path
) -> None:
    broken, other = id_of(hub, "P1"), id_of(hub, "P2")
    rewrite(file_of(hub), broken, '"CPO"', '"NO_ROLE"')
    await until(lambda: hub.registry.snapshot.platform(broken) is None)
    told = alarm(hub, "record_unreadable")
    assert told is not None
    assert (told.subject, told.standing) == (broken, True)
    assert hub.registry.snapshot.platform(other) is not None
    copy = tmp_path / "copy.sqlite3"
    with (
        sqlite3.connect(file_of(hub)) as here,
        sqlite3.connect(copy) as there,
    ):
        here.backup(there)
    here.close()
    there.close()
    with (tmp_path / "more.log").open("wb") as legs:
        async with app.running(
            settings.model_copy(update={"database_url": f"sqlite:///{copy}"}), legs_to=legs
        ) as again:
            assert again.registry.snapshot.platform(other) is not None
            assert again.registry.snapshot.platform(broken) is None
            assert alarm(again, "record_unreadable") is not None
    rewrite(file_of(hub), broken, '"NO_ROLE"', '"CPO"')
    await until(lambda: hub.registry.snapshot.platform(broken) is not None)
    told = alarm(hub, "record_unreadable")
    assert told is not None
    assert not told.standing


async def test_a_registry_that_cannot_be_reread_is_an_alarm(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()

    async def away() -> int:
        raise StoreUnavailable("away")

    with (tmp_path / "legs.log").open("wb") as legs:
        async with app.running(settings, clock=clock, legs_to=legs) as hub:
            real = hub.store.platforms.generation
            monkeypatch.setattr(hub.store.platforms, "generation", away)
            await clock.advance(4)
            assert alarm(hub, "registry_stale") is None
            await clock.advance(2)
            told = alarm(hub, "registry_stale")
            assert told is not None
            assert told.standing
            monkeypatch.setattr(hub.store.platforms, "generation", real)
            await clock.advance(1)
            await until(lambda: not any(alarm.standing for alarm in hub.alarms.newest_first))


async def test_a_full_hub_is_no_evidence_against_a_platform(
    hub: RunningHub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = hub.liveness._state(id_of(hub, "P4"))
    state.spacing_s = 0.0
    monkeypatch.setattr(hub.forwarder, "_limit", 0)
    for _ in range(4):
        await hub.liveness._probe(stored(hub, "P4"))
    assert (state.failures, state.online) == (0, True)
    assert state.probed_at > state.since
    monkeypatch.undo()
    await world["P4"].go_dark()
    for _ in range(3):
        await hub.liveness._probe(stored(hub, "P4"))
    assert not state.online


async def test_a_flip_that_could_not_be_stored_is_stored_later(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock()
    with (tmp_path / "legs.log").open("wb") as legs:
        async with app.running(settings, clock=clock, legs_to=legs) as hub, newcomer() as platform:
            platform_id = await register(hub, platform)
            trouble = Trouble(hub, monkeypatch)
            trouble.starts(is_away)
            hub.liveness._state(platform_id).limit = 1
            hub.liveness.failed(platform_id)
            await until(lambda: trouble.away)
            assert platform_id in hub.liveness.offline
            hub.liveness.heard("gone")
            assert hub.liveness.last_heard("gone") is not None
            trouble.ends()
            await clock.advance(11)

            async def remembered() -> bool:
                platform = await hub.store.platforms.get(platform_id)
                return platform is not None and not platform.reachable

            await until(remembered)
            assert hub.liveness.last_heard("gone") is None
