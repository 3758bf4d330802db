"""The fixture world that scenario tests speak about: platforms P1 to P10 with their parties, endpoints and tokens, and
H2, a peer hub with a party behind it.

The hub itself is not part of it. P5 speaks 2.2.1; P7 waits for its version, 2.1.1.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.sandbox.endpoints import EVERYTHING, ROOT, VERSION, EndpointLike, ServedEndpoint, endpoints_for
from hub.sandbox.parties import RoleLike
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.registration import Handshake

IssueToken = Callable[[SandboxPlatform], Awaitable[str]]

_S, _R = Interface.SENDER, Interface.RECEIVER

_P1_ROLES: list[RoleLike] = [(Role.CPO, "NL", "CPA"), (Role.CPO, "BE", "CPB")]
_P1_TOKENS = ServedEndpoint(names.TOKENS, _R, advertised=f"{ROOT}/{VERSION}/r/{names.TOKENS}/")

# name -> roles, endpoints (None: the usual ones of the roles), the token the hub will present
_PLATFORMS: dict[str, tuple[list[RoleLike], Sequence[EndpointLike] | None, str]] = {
    "P1": (
        _P1_ROLES,
        [_P1_TOKENS if one.module == names.TOKENS else one for one in endpoints_for(_P1_ROLES, None)],
        "out-P1-91bc",
    ),
    "P2": ([(Role.EMSP, "NL", "EMA"), (Role.EMSP, "DE", "EMB")], None, "out-P2-aa01"),
    "P3": ([(Role.NSP, "NL", "NSP")], None, "out-P3-bb02"),
    "P4": ([(Role.CPO, "FR", "DUO"), (Role.EMSP, "FR", "DUO")], EVERYTHING, "out-P4-cc03"),
    "P5": ([(Role.EMSP, "BE", "EMC")], None, "out-P5-dd04"),
    "P6": ([(Role.SCSP, "NL", "SCS")], None, "out-P6-ee05"),
    "P8": ([(Role.OTHER, "SE", "OTH")], None, "out-P8-ff06"),
    "P10": ([(Role.CPO, "AT", "CPX")], None, "out-P10-ba0b"),
    "H2": ([(Role.HUB, "BE", "HB2")], [*EVERYTHING, (names.HUB_CLIENT_INFO, _S)], "out-H2-cd08"),
}

# peer hub -> the parties behind it, CONNECTED CPOs
_BEHIND = {"H2": ("ES/CPS",)}


class World:
    """The platforms by name: `world["P1"]`. As a context it starts and stops them all."""

    def __init__(self, platforms: Sequence[SandboxPlatform]) -> None:
        self.platforms = {one.name: one for one in platforms}
        self._stack = AsyncExitStack()

    def __getitem__(self, name: str) -> SandboxPlatform:
        return self.platforms[name]

    def __iter__(self) -> Iterator[SandboxPlatform]:
        return iter(self.platforms.values())

    async def register_all(
        self, versions_url: str, issue_token: IssueToken, only: Sequence[str] | None = None
    ) -> dict[str, Handshake]:
        """Registers every platform (or those in `only`), all at once, with a token A for each from `issue_token`."""

        async def register(one: SandboxPlatform) -> Handshake:
            return await one.register(versions_url, await issue_token(one))

        chosen = [one for one in self if only is None or one.name in only]
        done = await asyncio.gather(*(register(one) for one in chosen))
        return {one.name: handshake for one, handshake in zip(chosen, done, strict=True)}

    def forget_received(self) -> None:
        """Empties what every platform has received, so that a test counts its own messages only."""
        for one in self:
            one.received.clear()

    async def __aenter__(self) -> Self:
        for one in self:
            await self._stack.enter_async_context(one)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


def fixture_world(
    *,
    only: Sequence[str] | None = None,
    peers: bool = False,
    tls: ssl.SSLContext | None = None,
    trust: ssl.SSLContext | None = None,
) -> World:
    """The whole world, with peer hubs if wanted, or the platforms named in `only`. Each will hand out its own fixed
    token at registration.
    """
    chosen = [name for name in _PLATFORMS if (peers or name not in _BEHIND if only is None else name in only)]
    return World([_platform(name, tls=tls, trust=trust) for name in chosen])


def _platform(name: str, **connection: Any) -> SandboxPlatform:
    roles, modules, outbound_token = _PLATFORMS[name]
    made = SandboxPlatform(name, roles, modules=modules, **connection)
    made.hand_out(outbound_token)
    for party in _BEHIND.get(name, ()):
        made.reporting.note(party)
    return made


def newcomer() -> SandboxPlatform:
    """P9: will be EMSP IT/EMN, is not registered; hands out `tok-B-P9`."""
    made = SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")])
    made.hand_out("tok-B-P9")
    return made


def receiving_side() -> SandboxPlatform:
    """P11: CPO CH/CPC; the hub starts the handshake with token A `reg-A-P11` and gets token C `tok-C-P11`."""
    made = SandboxPlatform("P11", [(Role.CPO, "CH", "CPC")])
    made.issue_token("reg-A-P11")
    made.hand_out("tok-C-P11")
    return made
