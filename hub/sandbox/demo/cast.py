"""Who plays in the demo: two CPOs, two eMSPs and a smart charging provider, each a simulated platform of its own."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from hub.domain.platform import RoleName
from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId
from hub.sandbox.parties import RoleLike, as_party
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.results import ResultMode

# No message of the story may wait longer than this, whatever breaks.
CALL_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Player:
    """One party on its platform, and the short name the story calls it by."""

    name: str
    platform: SandboxPlatform
    party: PartyId

    @property
    def path(self) -> str:
        """The party as the beginning of a path to one of its objects."""
        return f"{self.party.country_code}/{self.party.party_id}"


class Cast:
    """The players. As a context it starts and stops their platforms."""

    def __init__(self) -> None:
        alpha = _platform("Alpha Charge", (Role.CPO, "NL", "ALP"))
        bravo = _platform("Bravo Charge", *((Role.CPO, country, "BRV") for country in ("DE", "AT", "CH")))
        delta = _platform("Delta Drive", (Role.EMSP, "NL", "DEL"))
        echo = _platform("Echo Drive", (Role.EMSP, "FR", "ECH"))
        sierra = _platform("Sierra Smart", (Role.SCSP, "NL", "SIE"))
        self.platforms = (alpha, bravo, delta, echo, sierra)
        self.alpha = Player("Alpha", alpha, as_party("NL/ALP"))
        self.bravo = Player("Bravo", bravo, as_party("DE/BRV"))
        self.bravo_at = Player("Bravo AT", bravo, as_party("AT/BRV"))
        self.bravo_ch = Player("Bravo CH", bravo, as_party("CH/BRV"))
        self.delta = Player("Delta", delta, as_party("NL/DEL"))
        self.echo = Player("Echo", echo, as_party("FR/ECH"))
        self.sierra = Player("Sierra", sierra, as_party("NL/SIE"))
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for platform in self.platforms:
            await self._stack.enter_async_context(platform)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


def _platform(name: str, *roles: RoleLike) -> SandboxPlatform:
    platform = SandboxPlatform(name, roles)
    platform.habits.call_timeout_s = CALL_TIMEOUT_S
    # A result goes out when the story has told of the command it belongs to.
    platform.results.mode = ResultMode.HELD
    return platform


def roles_of(platform: SandboxPlatform) -> tuple[RoleName, ...]:
    """The roles of a platform as an operator reserves them."""
    return tuple(RoleName(role, country_code, party_id) for role, country_code, party_id in platform.roles)


def described(platform: SandboxPlatform) -> str:
    """The roles of a platform in words, such as `CPO DE/BRV, AT/BRV`."""
    kind = platform.roles[0][0].value
    return f"{kind} {', '.join(str(party) for party in platform.parties)}"
