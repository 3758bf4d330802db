"""What plugins cost a message: no task and no timer for hooks that return at once, no parsing of what nobody reads."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.ocpi import codec
from hub.plugin import Plugin
from hub.sandbox.answer import Answer
from hub.sandbox.world import World
from tests.hubs import settled
from tests.plugins.hosting import hosting, put_session, running
from tests.plugins.unruly import Hangs
from tests.plugins.watching import Bytes, Everything, Facts, Reads

MESSAGES = 20
ON_THE_PATH = "hub/web/ocpi.py"


@contextmanager
def counted() -> Iterator[list[str]]:
    """Tasks and timers that are made while a message is on its path through the hub."""
    loop = asyncio.get_running_loop()
    made: list[str] = []

    def noting(name: str, call: Any) -> Any:
        def noted(*args: Any, **options: Any) -> Any:
            frame = sys._getframe(1)
            while frame is not None:
                if frame.f_code.co_filename.endswith(ON_THE_PATH):
                    made.append(name)
                    break
                frame = frame.f_back  # type: ignore[assignment]
            return call(*args, **options)

        return noted

    kept = {name: getattr(loop, name) for name in ("create_task", "call_at", "call_later")}
    for name, call in kept.items():
        setattr(loop, name, noting(name, call))
    try:
        yield made
    finally:
        for name in kept:
            delattr(loop, name)


async def made_by(folder: Path, *plugins: type[Plugin[Any]], config: Any = None) -> list[str]:
    async with hosting(folder, *plugins, config=config) as (_, world):
        await put_session(world)  # the connections are there now
        with counted() as made:
            for _ in range(MESSAGES):
                assert (await put_session(world)).status_code == 1000
        return made


@pytest.mark.parametrize(
    "plugins", [(), (Facts,), (Bytes, Facts), (Everything,)], ids=lambda one: "+".join(p.name for p in one)
)
async def test_a_message_makes_no_task_and_no_timer(tmp_path: Path, plugins: tuple[type[Plugin[Any]], ...]) -> None:
    assert await made_by(tmp_path, *plugins) == []


async def test_only_a_hook_that_suspends_makes_them(tmp_path: Path) -> None:
    made = await made_by(tmp_path, Hangs, config={"hangs": {"hook_timeout": 0.001}})
    assert "create_task" in made


async def pushed(world: World) -> Answer:
    answer = await put_session(world)
    assert answer.status_code == 1000
    return answer


@pytest.mark.parametrize("plugins", [(), (Facts,), (Bytes, Facts)], ids=["nobody", "facts", "bytes and facts"])
async def test_bodies_that_nobody_reads_are_never_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugins: tuple[type[Plugin[Any]], ...]
) -> None:
    async with hosting(tmp_path, *plugins) as (hub, world):
        parsed = parsing(monkeypatch)
        for _ in range(MESSAGES):
            await pushed(world)
        await settled(hub)
        assert [one for one in parsed if b"kwh" in one] == []


async def test_a_body_that_somebody_reads_is_parsed_once_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Reads.seen.clear()
    async with hosting(tmp_path, Reads, Everything) as (hub, world):
        running(hub, Everything)
        parsed = parsing(monkeypatch)
        await pushed(world)
        assert len([one for one in parsed if b"kwh" in one]) == 1
    assert Reads.seen[-1]["id"] == "S1"


def parsing(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the hub parses from now on."""
    parsed: list[bytes] = []
    loads = codec.loads

    def noted(body: bytes | str) -> Any:
        frame = sys._getframe(1)
        if "/hub/sandbox/" not in frame.f_code.co_filename:
            parsed.append(body if isinstance(body, bytes) else body.encode())
        return loads(body)

    monkeypatch.setattr(codec, "loads", noted)
    return parsed
