"""One simulated party at a terminal, against any OCPI hub: registers, serves, shows what comes in, pushes at times."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from itertools import cycle
from typing import Literal

from rich.console import Console
from rich.markup import escape

from hub.clock import Clock, SystemClock
from hub.ocpi import names, times
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.parties import PartyLike, as_party
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.received import Received

Kind = Literal["cpo", "emsp"]
Push = Callable[[], Awaitable[Answer]]

PUSH_EVERY_S = 15.0
GOODBYE_TIMEOUT_S = 3.0

_PARTIES = {"cpo": (Role.CPO, PartyId("NL", "SBC")), "emsp": (Role.EMSP, PartyId("NL", "SBE"))}
_STATUSES = ("CHARGING", "AVAILABLE", "BLOCKED", "AVAILABLE")


async def run(
    kind: Kind,
    hub_versions_url: str,
    token: str,
    *,
    party: PartyLike | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    base_url: str | None = None,
    every_s: float = PUSH_EVERY_S,
    console: Console | None = None,
    clock: Clock | None = None,
) -> int:
    """Runs until cancelled, then takes back its registration. Returns 1 at once when the handshake does not succeed.

    `token` is the registration token the hub's operator gave. Pushes are Broadcast Pushes to the hub's own party.
    """
    console, clock = console or Console(), clock or SystemClock()
    role, own_party = _PARTIES[kind]
    own_party = own_party if party is None else as_party(party)
    platform = SandboxPlatform(
        f"Sandbox {kind}",
        [(role, own_party.country_code, own_party.party_id)],
        host=host,
        port=port,
        base_url=base_url,
        clock=clock,
    )
    async with platform:
        console.print(f"[bold]{role.value} {own_party}[/] serves {platform.versions_url}", soft_wrap=True)
        watching = asyncio.create_task(_show_requests(platform, console))
        try:
            handshake = await platform.register(hub_versions_url, token)
            if not handshake.ok:
                console.print(f"[red]not registered:[/] {escape(handshake.problem or '')}", soft_wrap=True)
                return 1
            console.print(f"[green]registered[/] at {hub_versions_url}", soft_wrap=True)
            offer = _offer_locations if kind == "cpo" else _offer_tokens
            await _push_for_ever(offer(platform, own_party, clock), every_s, clock, console)
        finally:
            platform.habits.call_timeout_s = GOODBYE_TIMEOUT_S
            if platform.counterpart is not None:
                console.print(f"unregistered: {escape(str(await platform.unregister()))}", soft_wrap=True)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    return 0


async def _show_requests(platform: SandboxPlatform, console: Console) -> None:
    async with aclosing(platform.received.follow()) as requests:
        async for received in requests:
            console.print(_line(received), soft_wrap=True)


def _line(received: Received) -> str:
    sender = f" from {received.sender}" if received.sender else ""
    to = f" to {received.to}" if received.to else ""
    size = f", {len(received.body)} bytes" if received.body else ""
    return f"[cyan]<- {received.method}[/] {escape(received.target)}{escape(sender)}{escape(to)}{size}"


async def _push_for_ever(push: Push, every_s: float, clock: Clock, console: Console) -> None:
    while True:
        console.print(f"[magenta]->[/] {escape(str(await push()))}", soft_wrap=True)
        await clock.sleep(every_s)


def _offer_locations(platform: SandboxPlatform, party: PartyId, clock: Clock) -> Push:
    """Puts locations on offer; the push sends each one once, then one EVSE's status again and again."""
    offered = [objects.location(party, f"LOC{number}", evses=2, last_updated=clock.now()) for number in (1, 2, 3)]
    for location in offered:
        platform.own.put(names.LOCATIONS, location)
    platform.own.put(names.TARIFFS, objects.tariff(party, last_updated=clock.now()))
    unsent = iter(offered)
    statuses = cycle(_STATUSES)

    async def push() -> Answer:
        location = next(unsent, None)
        if location is not None:
            return await _broadcast(platform, "PUT", names.LOCATIONS, str(location["id"]), location)
        change = {"status": next(statuses), "last_updated": times.render(clock.now())}
        offered[0]["evses"][0].update(change)
        offered[0]["last_updated"] = change["last_updated"]
        return await _broadcast(platform, "PATCH", names.LOCATIONS, "LOC1/E1", change)

    return push


def _offer_tokens(platform: SandboxPlatform, party: PartyId, clock: Clock) -> Push:
    """Puts tokens on offer; the push sends one after the other, each time with a new time."""
    offered = [objects.token(party, f"04AA0{number}", last_updated=clock.now()) for number in (1, 2, 3)]
    for token in offered:
        platform.own.put(names.TOKENS, token)
    turns = cycle(offered)

    async def push() -> Answer:
        token = next(turns)
        token["last_updated"] = times.render(clock.now())
        return await _broadcast(platform, "PUT", names.TOKENS, str(token["uid"]), token)

    return push


async def _broadcast(platform: SandboxPlatform, method: str, module: str, tail: str, body: objects.Object) -> Answer:
    hub = None if platform.counterpart is None else platform.counterpart.hub_party
    party = platform.parties[0]
    tail = f"{party.country_code}/{party.party_id}/{tail}"
    return await platform.call(method, module, Interface.RECEIVER, tail, to=hub, sender=party, body=body)
