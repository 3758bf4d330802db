"""The demo as its user sees it: the whole story in a process of its own, and in this one what makes it say no."""

import asyncio
import io
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console

from hub.cli import demo_show
from hub.cli.demo_show import show
from hub.ocpi import names
from hub.sandbox.demo import Cast, telling
from hub.sandbox.demo.chapters import CHAPTERS

ROOT = Path(__file__).resolve().parents[2]
# What the demo promises its user, and what this test waits for at most.
PROMISED_S, PATIENCE_S = 20.0, 50.0


def plain_environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """No colour is asked for, and what is left behind is left in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "COLUMNS", "NO_COLOR")}
    return kept | {"TMPDIR": str(folder), "PYTHONIOENCODING": "utf-8"} | dict(more)


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def demo(folder: Path, *options: str, **environment: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "hub", "demo", *options),
        cwd=ROOT,
        env=plain_environment(folder, environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def test_the_whole_story_in_a_pipe(tmp_path: Path) -> None:
    started = time.monotonic()
    process = await demo(tmp_path, "--once")
    async with asyncio.timeout(PATIENCE_S):
        output, errors = await process.communicate()
    text = output.decode()
    assert process.returncode == 0, text
    assert time.monotonic() - started < PROMISED_S
    story, summary = text.split("\nSummary")
    for number, (title, _, _) in enumerate(CHAPTERS, start=1):
        assert f"\n{number}. {title} ─" in story
        assert re.search(rf"^ ?{number}\. {title} +(\d+) +\1 ", summary, re.MULTILINE), title
    assert re.search(r"✓ All \d{2,} steps did what they should", summary)
    assert "✗" not in text
    for code in ("200/4001", "200/4002", "200/4003", "403/2001", "404/2004"):
        assert code in story
    for power in ("NORMAL: limit 70.0 kW", "LIMITED: limit 35.0 kW, given 35.0 kW", "FALLBACK: limit 15.0 kW"):
        assert f"FEEDER-7 {power}" in story
    assert "\x1b" not in text
    assert max(len(line) for line in text.splitlines()) <= 100
    assert errors == b""
    assert left_in(tmp_path) == []


async def test_a_terminal_without_unicode_gets_plain_characters(tmp_path: Path) -> None:
    process = await demo(tmp_path, "--once", PYTHONIOENCODING="ascii")
    async with asyncio.timeout(PATIENCE_S):
        output, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b""), output
    assert b"+ All" in output


async def test_ctrl_c_in_the_middle_ends_it_in_good_order(tmp_path: Path) -> None:
    process = await demo(tmp_path)
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        await process.stdout.readuntil(b"2. Who is there")
        process.send_signal(signal.SIGINT)
        output, errors = await process.communicate()
    assert process.returncode == 130
    assert b"Stopped in the middle" in output
    assert errors == b""
    assert left_in(tmp_path) == []


async def test_a_platform_that_breaks_is_seen_and_told(tmp_path: Path) -> None:
    cast = Cast()
    cast.delta.platform.faults.on(names.LOCATIONS).answer(500, b"oops")
    screen = io.StringIO()
    code = await show(tmp_path, Console(file=screen, width=100), asyncio.Event(), once=True, cast=cast)
    told = screen.getvalue()
    assert code == 1
    assert re.search(r"✗ 3 of \d+ steps did not do what they should", told)
    assert "✗ Alpha → hub → Delta   PUT locations           200/4000" in told
    assert "not so: Delta keeps the station" in told
    assert str(tmp_path / "hub.log") in told
    # Whatever does not need it goes on.
    assert re.search(r"^ 8\. Commands +10 +10 ", told, re.MULTILINE)


async def test_a_platform_that_cannot_even_register(tmp_path: Path) -> None:
    cast = Cast()
    cast.alpha.platform.faults.on(names.VERSIONS).answer(500, b"oops")
    screen = io.StringIO()
    assert await show(tmp_path, Console(file=screen, width=100), asyncio.Event(), once=True, cast=cast) == 1
    assert re.search(r"^20\. The hub restarts ", screen.getvalue(), re.MULTILINE)
    assert "Traceback" not in screen.getvalue()


@pytest.fixture
def first_chapters(monkeypatch: pytest.MonkeyPatch) -> None:
    """A story of registrations and a few messages, told at once, to see what comes after it. Any port will do."""
    monkeypatch.setattr(telling, "CHAPTERS", CHAPTERS[:6])
    monkeypatch.setattr(demo_show, "PACE_S", 0.0)
    monkeypatch.setattr(demo_show, "USUAL_PORT", 0)


class _Watched(io.StringIO):
    """Sets an event once a text has been written."""

    def __init__(self, wanted: str) -> None:
        super().__init__()
        self.seen = asyncio.Event()
        self._wanted = wanted

    def write(self, text: str) -> int:
        if self._wanted in text:
            self.seen.set()
        return super().write(text)


async def test_it_stays_until_it_is_stopped(tmp_path: Path, first_chapters: None) -> None:
    screen, stop, picture = _Watched("Messages through the hub"), asyncio.Event(), tmp_path / "story.svg"
    console = Console(file=screen, width=100, record=True)
    showing = asyncio.create_task(show(tmp_path, console, stop, once=False, picture=picture))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await screen.seen.wait()
            assert not showing.done()
            stop.set()
            assert await showing == 0, screen.getvalue()
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
    told = screen.getvalue()
    # Every line can be copied as it is.
    token_file = re.search(r"admin token +in (\S+)", told)
    assert token_file is not None
    assert Path(token_file[1]).name in left_in(tmp_path)
    assert re.search(r"sandbox cpo --hub http://127\.0\.0\.1:\d+/ocpi/versions --token \S{16,}\n", told)
    assert re.search(r"platform list --url http://127\.0\.0\.1:\d+\n", told)
    assert re.search(r"^ tokens +\d+ ", told, re.MULTILINE)
    assert picture.name in left_in(tmp_path)


async def test_a_terminal_gets_a_table_that_is_drawn_again(tmp_path: Path, first_chapters: None) -> None:
    screen, stop = _Watched("Messages through the hub"), asyncio.Event()
    console = Console(file=screen, width=100, force_terminal=True)
    showing = asyncio.create_task(show(tmp_path, console, stop, once=False))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await screen.seen.wait()
            screen.seen.clear()
            await screen.seen.wait()
            stop.set()
            assert await showing == 0, screen.getvalue()
    finally:
        showing.cancel()
        await asyncio.gather(showing, return_exceptions=True)
