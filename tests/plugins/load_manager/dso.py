"""A DSO at the area: it limits the group that the EVSEs are in, over OSCP 2.0 on real sockets."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal

from hub.sandbox.dso import SandboxDso, block
from tests.plugins.load_manager.area import Area, moment

A_DAY_S = 24 * 3600


@asynccontextmanager
async def with_dso(
    a: Area, evses: Sequence[int] = (16, 16, 16), kw: float = 60, *, heard_for_s: float | None = None, **config: object
) -> AsyncIterator[SandboxDso]:
    """A DSO that is registered and has shaken hands; the group, with so many kW at most, is its own. `heard_for_s`:
    its heartbeat says that it is there for so long.
    """
    await a.b.reload({"load_manager": {"public_url": a.b.hub.url} | config})
    await a.wait(5)  # the new instance has taken the duty over
    async with SandboxDso(clock=a.b.clock) as dso:
        dso.habits.beats = False
        made = await a.admin("POST", "/capacity-providers", {"name": "Grid One"}, status=201)
        assert (await dso.register(made["base_url"], made["registration_token"])).status == 204
        await dso.registered()
        await a.consent()
        await a.location(evses)
        await a.group(kw, capacity_provider=made["id"])
        await shake_hands(a, dso)
        if heard_for_s is not None:
            assert (await dso.heartbeat(heard_for_s)).status == 204
        yield dso


async def shake_hands(a: Area, dso: SandboxDso) -> None:
    dso.link.acknowledged.clear()
    assert (await dso.handshake()).status == 204
    await dso.acknowledged()
    await a.b.settle()


async def says(a: Area, dso: SandboxDso, kw: float, kind: str = "CONSUMPTION", request_id: str | None = None) -> None:
    """The DSO sets one limit for a day from now on."""
    blocks = [block(a.now, a.now + timedelta(seconds=A_DAY_S), kw)]
    (answer,) = await dso.forecast("G1", blocks, kind, request_id=request_id)
    assert answer.status == 204, answer.body
    await a.b.settle()


async def forecasts(
    a: Area, dso: SandboxDso, *blocks: tuple[str, str, float | Decimal], kind: str = "CONSUMPTION"
) -> None:
    """The DSO sets limits from one time of the day to another."""
    said = [block(moment(start), moment(end), kw) for start, end, kw in blocks]
    (answer,) = await dso.forecast("G1", said, kind)
    assert answer.status == 204, answer.body
    await a.b.settle()
