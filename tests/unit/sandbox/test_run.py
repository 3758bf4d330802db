"""The party at a terminal: it registers, shows what comes in, pushes, and unregisters when cancelled."""

import asyncio
import io

import pytest
from rich.console import Console

from hub.clock import ManualClock
from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.sandbox import SandboxPlatform
from hub.sandbox.run import Kind, run


def console() -> Console:
    return Console(file=io.StringIO(), width=200)


def shown(on: Console) -> str:
    assert isinstance(on.file, io.StringIO)
    return on.file.getvalue()


@pytest.mark.parametrize(
    ("kind", "module", "first", "later"),
    [
        ("cpo", names.LOCATIONS, ("PUT", "NL/ONE/LOC1"), ("PATCH", "NL/ONE/LOC1/E1")),
        ("emsp", names.TOKENS, ("PUT", "NL/ONE/04AA01"), ("PUT", "NL/ONE/04AA01")),
    ],
)
async def test_a_party_at_a_terminal(kind: Kind, module: str, first: tuple[str, str], later: tuple[str, str]) -> None:
    clock, on = ManualClock(), console()
    async with SandboxPlatform("Hub", [(Role.HUB, "NL", "HUB")]) as hub:
        token_a = hub.issue_token()
        task = asyncio.create_task(
            run(kind, hub.versions_url, token_a, party="NL/ONE", every_s=10, console=on, clock=clock)
        )
        for _ in range(3):
            async with asyncio.timeout(5):
                await clock.until_asleep()
            await clock.advance(10)
        pushes = [await hub.wait_for(module, Interface.RECEIVER, count=number) for number in (1, 2, 3, 4)]
        assert (pushes[0].method, pushes[0].tail) == first
        assert (pushes[3].method, pushes[3].tail) == later
        assert str(pushes[0].to) == "NL/HUB"

        listed = await hub.crawl(module, to="NL/ONE", sender="NL/HUB")
        assert len(listed.objects) == 3
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert hub.counterpart is None
    text = shown(on)
    assert "serves http://127.0.0.1:" in text
    assert "registered" in text
    assert f"<- GET /ocpi/2.2.1/s/{module} from NL/HUB to NL/ONE" in text
    assert token_a not in text


async def test_a_refused_handshake_ends_the_run_with_1() -> None:
    on = console()
    async with SandboxPlatform("Hub", [(Role.HUB, "NL", "HUB")]) as hub:
        assert await run("cpo", hub.versions_url, "not-issued", console=on) == 1
    assert "not registered" in shown(on)
    assert "not-issued" not in shown(on)
