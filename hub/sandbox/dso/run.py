"""One simulated DSO at a terminal, against any Flexibility Provider of OSCP 2.0: registers, shakes hands, sends limits
for one group now and then, shows what comes in.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from decimal import Decimal

from rich.console import Console
from rich.markup import escape

from hub.clock import Clock, SystemClock
from hub.ocpi import codec
from hub.sandbox.answer import Answer
from hub.sandbox.dso.capacity_provider import SandboxDso
from hub.sandbox.dso.messages import Body, block
from hub.sandbox.received import Received

FORECAST_EVERY_S = 900.0
DEFAULT_LIMIT_KW = Decimal(30)
# Of the limit: quarter by quarter, and without contact.
_SHARES = (Decimal(1), Decimal(1), Decimal("0.5"), Decimal(1))
_FALLBACK_SHARE = Decimal("0.4")
_QUARTER = timedelta(minutes=15)
_LONGEST_SHOWN = 160


async def run(
    flexibility_provider_url: str,
    token: str,
    *,
    group: str | None = None,
    limit_kw: Decimal = DEFAULT_LIMIT_KW,
    host: str = "127.0.0.1",
    port: int = 0,
    base_url: str | None = None,
    every_s: float = FORECAST_EVERY_S,
    console: Console | None = None,
    clock: Clock | None = None,
) -> int:
    """Runs until cancelled, then takes back its registration. Returns 1 at once when it does not get through
    registration and handshake. Without a group it sends heartbeats and no limits.

    `token` is what the operator gave for a capacity provider; `limit_kw` holds but for the third quarter of each hour
    that is sent, which has half of it.
    """
    console, clock = console or Console(), clock or SystemClock()
    async with SandboxDso(host=host, port=port, base_url=base_url, clock=clock) as dso:
        console.print(f"[bold]DSO[/] serves {dso.base_url}", soft_wrap=True)
        watching = asyncio.create_task(_show_requests(dso, console))
        try:
            problem = await _meet(dso, flexibility_provider_url, token)
            if problem is not None:
                console.print(f"[red]not registered:[/] {escape(problem)}", soft_wrap=True)
                return 1
            console.print(f"[green]registered[/] at {flexibility_provider_url}, hands shaken", soft_wrap=True)
            if group is not None:
                fallback = [block(clock.now(), clock.now() + timedelta(days=1), limit_kw * _FALLBACK_SHARE)]
                await _send(dso, console, group, fallback, "FALLBACK_CONSUMPTION")
            while True:
                if group is not None:
                    await _send(dso, console, group, _quarters(clock.now(), limit_kw), "CONSUMPTION")
                await clock.sleep(every_s)
        finally:
            if dso.link.registered.is_set():
                console.print(f"unregistered: {_told(await dso.unregister())}", soft_wrap=True)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)


async def _meet(dso: SandboxDso, url: str, token: str) -> str | None:
    """Registration and handshake; what went wrong."""
    try:
        answer = await dso.register(url, token)
        if answer.status == 204:
            await dso.registered()
            answer = await dso.handshake()
        if answer.status == 204:
            await dso.acknowledged()
            return None
    except TimeoutError:
        return "the other side has answered, and then not sent its part"
    return _told(answer)


async def _send(dso: SandboxDso, console: Console, group: str, blocks: Sequence[Body], kind: str) -> None:
    (answer,) = await dso.forecast(group, blocks, kind)
    limits = ", ".join(f"{one['capacity']} kW" for one in blocks)
    console.print(f"[magenta]->[/] {kind} {escape(group)}: {limits}: {_told(answer)}", soft_wrap=True)


def _quarters(now: datetime, limit_kw: Decimal) -> list[Body]:
    """An hour from the beginning of this quarter."""
    start = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    return [
        block(start + number * _QUARTER, start + (number + 1) * _QUARTER, limit_kw * share)
        for number, share in enumerate(_SHARES)
    ]


async def _show_requests(dso: SandboxDso, console: Console) -> None:
    async with aclosing(dso.received.follow()) as requests:
        async for received in requests:
            console.print(_line(received), soft_wrap=True)


def _line(received: Received) -> str:
    # The body of a registration holds a token.
    shown = "" if received.module == "register" else received.body.decode(errors="replace")[:_LONGEST_SHOWN]
    return f"[cyan]<- {received.method}[/] {escape(received.path)} {escape(shown)}".rstrip()


def _told(answer: Answer) -> str:
    """What came back, without the envelope of OCPI."""
    if answer.failure is not None:
        return answer.failure
    try:
        found = codec.loads(answer.body)
    except codec.NotJson:
        found = None
    message = found.get("message") if isinstance(found, dict) else None
    return f"HTTP {answer.status}" + (f", {message}" if message else "")
