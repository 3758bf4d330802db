"""The one OCPI connection of a simulated platform: tokens others may present, and what it knows of the other side."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from hub.domain.platform import TokenPurpose
from hub.ocpi import names, token
from hub.ocpi.configuration import CredentialsRole
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.token import TokenEncoding


@dataclass(frozen=True, slots=True)
class Counterpart:
    """The other side of a completed handshake; `token` is what this platform presents to it."""

    versions_url: str
    token: str = field(repr=False)
    endpoints: Mapping[tuple[str, Interface | None], str]
    roles: tuple[CredentialsRole, ...] = ()

    def url(self, module: str, interface: Interface | None) -> str | None:
        """An endpoint of the other side; credentials are found by name alone (R-162)."""
        return self.endpoints.get((module, None if module == names.CREDENTIALS else interface))

    @property
    def hub_party(self) -> PartyId | None:
        """The party to address when the hub itself is meant."""
        for role in self.roles:
            if role.role is Role.HUB:
                return PartyId(role.country_code, role.party_id)
        return None


class InboundTokens:
    """Tokens others may present, by purpose. One that was replaced stays valid until its successor is first used."""

    def __init__(self) -> None:
        self._purposes: dict[str, TokenPurpose] = {}
        self._predecessors: dict[str, str] = {}

    def add(self, value: str, purpose: TokenPurpose) -> None:
        self._purposes[value] = purpose

    def succeed(self, old: str, new: str) -> None:
        """`new` becomes valid now; `old` stops with the first use of `new` (R-176)."""
        self._purposes[new] = TokenPurpose.CREDENTIALS
        self._predecessors[new] = old

    def drop(self, value: str) -> None:
        self._purposes.pop(value, None)
        self._predecessors.pop(value, None)

    def clear(self) -> None:
        self._purposes.clear()
        self._predecessors.clear()

    def present(self, header: str | None, accepts: TokenEncoding | None) -> tuple[str, TokenPurpose] | None:
        """The token an `Authorization` header stands for and its purpose; None when it is not valid here."""
        for value, encoding in token.candidates(header):
            purpose = self._purposes.get(value)
            if purpose is not None and accepts in (None, encoding):
                predecessor = self._predecessors.pop(value, None)
                if predecessor is not None:
                    self.drop(predecessor)
                return value, purpose
        return None


class Connection:
    """State shared by both sides of the handshake and by every call: at most one other side at a time."""

    def __init__(self) -> None:
        self.inbound = InboundTokens()
        self.counterpart: Counterpart | None = None
        self.inbound_token: str | None = None  # what the other side presents
        self._in_hand: deque[str] = deque()

    def hand_out(self, *tokens: str) -> None:
        """The tokens to give away next, in this order; when they are used up new ones are made."""
        self._in_hand.extend(tokens)

    def next_token(self) -> str:
        return self._in_hand.popleft() if self._in_hand else token.new_token()

    def issue_registration_token(self, value: str | None = None) -> str:
        """A token A, for the other side to start the handshake with."""
        value = value or self.next_token()
        self.inbound.add(value, TokenPurpose.REGISTRATION)
        return value

    def forget(self) -> None:
        """Ends the connection in both directions."""
        self.inbound.clear()
        self.counterpart = None
        self.inbound_token = None
