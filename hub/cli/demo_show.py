"""One showing of the demo from start to end: players and hub up, the story, what to try next, everything down again."""

import asyncio
import shutil
import socket
import sys
from pathlib import Path

from rich.console import Console

from hub.cli.demo_hub import DemoHub, demo_settings
from hub.sandbox.demo import Cast, Screen, invite, stay, tell
from hub.settings import ENV_PREFIX
from hub.settings.kept import FILES

USUAL_PORT = 8080
# Somebody who watches wants to read; with --once nobody waits.
PACE_S = 0.15

FAILED = 1
STOPPED = 130


async def show(
    folder: Path,
    console: Console,
    stop: asyncio.Event,
    *,
    once: bool,
    picture: Path | None = None,
    cast: Cast | None = None,
) -> int:
    """The exit code: 0 when every step did what it should, 1 when not, 130 when it was stopped in the middle.

    Hub and logs live in `folder`. Without `once` the hub goes on after the story until `stop` is set.
    """
    screen = Screen(console)
    with (folder / "messages.log").open("wb") as legs:
        async with cast or Cast() as players, DemoHub(demo_settings(folder, _port(once=once)), legs) as hub:
            pace_s = 0.0 if once else PACE_S
            telling = asyncio.create_task(tell(hub, players, screen, log=str(folder / "hub.log"), pace_s=pace_s))
            stopping = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait({telling, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not telling.done():
                    screen.say("Stopped in the middle of the story.")
                    return STOPPED
                passed = telling.result()
                if not once:
                    await _what_next(hub, screen, folder)
                if picture is not None:
                    console.save_svg(str(picture), title="ocpi-hub demo")
                    console.record = False
                if not once:
                    await stay(hub, players, screen, stop)
                    screen.say("Stopping.")
                return 0 if passed else FAILED
            finally:
                for task in (telling, stopping):
                    task.cancel()
                await asyncio.gather(telling, stopping, return_exceptions=True)


def _port(*, once: bool) -> int:
    """The usual port if it is free, for a hub that stays; any other that is free will do as well."""
    try:
        return _free(0 if once else USUAL_PORT)
    except OSError:
        return _free(0)


def _free(port: int) -> int:
    with socket.create_server(("127.0.0.1", port)) as server:
        found: int = server.getsockname()[1]
        return found


async def _what_next(hub: DemoHub, screen: Screen, folder: Path) -> None:
    """Every line can be copied as it is: what it needs is in the demo's folder."""
    program = "ocpi-hub" if shutil.which("ocpi-hub") else f"{sys.executable} -m hub"
    operator = f"{ENV_PREFIX}DATA_DIR={folder} {program}"
    visitor = await hub.invite("Visitor")
    facts = (
        ("versions URL", hub.versions_url),
        ("admin API", f"{hub.url}/admin/v1"),
        ("admin token", f"in {folder / FILES['admin_token']}"),
        ("metrics", f"{hub.url}/metrics"),
        ("messages", f"one line each in {folder / 'messages.log'}"),
    )
    commands = (
        ("who is registered", f"{operator} platform list --url {hub.url}"),
        ("ask Alpha for everything OCPI demands", f"{operator} platform selftest 'Alpha Charge' --url {hub.url}"),
        ("join with a CPO of your own", f"{program} sandbox cpo --hub {hub.versions_url} --token {visitor}"),
    )
    invite(screen, hub, facts, commands)
