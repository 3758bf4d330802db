"""HubClientInfo: what there is to tell about every party, as registry and liveness know it now (R-192 to R-199).

Rules
- A party that is here wins over one behind a peer hub (ruling 24). Of several peers that lead to a party the one that
  is known longest counts, if the party is connected there.
- Behind a peer hub that is OFFLINE nobody is CONNECTED; behind one that is SUSPENDED or gone everybody is SUSPENDED.
- Our own hub is not told at all (R-198). A peer hub is a party like any other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.broker.liveness import LivenessBoard
from hub.broker.registry import RegistryKeeper
from hub.domain.platform import Platform, ReportedParty
from hub.ocpi import times
from hub.ocpi.names import ConnectionStatus, Role
from hub.ocpi.party_id import PartyId, party, role_key


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """One party in one role, on the platform `host`, or `behind` it if that is a peer hub. A party with two roles has
    two, at one URL (R-197).
    """

    host: str
    party: PartyId
    role: Role
    status: ConnectionStatus
    last_updated: datetime
    behind: bool = False
    key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", role_key(self.role, self.party))

    def rendered(self) -> dict[str, Any]:
        """The OCPI object, with all five fields always."""
        return {
            "party_id": self.party.party_id,
            "country_code": self.party.country_code,
            "role": self.role.value,
            "status": self.status.value,
            "last_updated": times.render(self.last_updated),
        }


class ClientInfos:
    """The client info of every party, as registry and liveness know it now. `hub` is our own party."""

    def __init__(self, registry: RegistryKeeper, liveness: LivenessBoard, hub: PartyId) -> None:
        self._registry = registry
        self._liveness = liveness
        self._hub = hub
        self._made_of: tuple[object, ...] = ()
        self._every: tuple[ClientInfo, ...] = ()

    def every(self) -> tuple[ClientInfo, ...]:
        """All of them, each party and role once, in the order in which platforms were first known. Made anew when
        something has changed.
        """
        made_of = (self._registry.snapshot, self._liveness.flips, frozenset(self._liveness.offline))
        if made_of != self._made_of:
            self._made_of, self._every = made_of, self._made()
        return self._every

    def _made(self) -> tuple[ClientInfo, ...]:
        found: dict[str, ClientInfo] = {}
        for platform in self._registry.snapshot.platforms:
            for info in self._of(platform):
                known = found.get(info.key)
                if known is None or _wins(info, known):
                    found[info.key] = info
        return tuple(found.values())

    def _of(self, platform: Platform) -> Iterable[ClientInfo]:
        """A platform's hosted parties, those reserved for it before it has registered, as PLANNED, and those behind
        it.
        """
        changed_at = self._liveness.changed_at(platform)
        for role in platform.roles:
            status = self._liveness.status(platform, role)
            since = role.updated_at if role.suspended else max(role.updated_at, changed_at)
            yield ClientInfo(platform.id, role.party, role.role, status, since)
        if platform.status is ConnectionStatus.PLANNED:
            hosted = {role.key for role in platform.roles}
            for name in platform.approved:
                if name.key not in hosted:
                    yield ClientInfo(platform.id, name.party, name.role, ConnectionStatus.PLANNED, changed_at)
        if platform.is_peer:
            snapshot, peer = self._registry.snapshot, self._liveness.status(platform)
            for reported in platform.reported:
                named = party(reported.country_code, reported.party_id)
                if named != self._hub and not snapshot.seats_of(named):
                    status, since = _behind(peer, changed_at, reported)
                    yield ClientInfo(platform.id, named, reported.role, status, since, behind=True)


def _wins(info: ClientInfo, known: ClientInfo) -> bool:
    """Whether a later one stands in place of one that is known: a peer hub leads to a party that is only planned here,
    and to one that another peer cannot reach.
    """
    if info.behind is not known.behind:
        return info.behind
    return info.status is ConnectionStatus.CONNECTED and known.status is not ConnectionStatus.CONNECTED


def _behind(peer: ConnectionStatus, changed_at: datetime, reported: ReportedParty) -> tuple[ConnectionStatus, datetime]:
    """Status of a party behind a peer hub, and since when: as reported, as far as the peer is there."""
    status = reported.status
    if peer is ConnectionStatus.SUSPENDED or (
        peer is ConnectionStatus.OFFLINE and status is ConnectionStatus.CONNECTED
    ):
        status = peer
    moved = status is ConnectionStatus.CONNECTED or status is not reported.status
    return status, max(reported.last_updated, changed_at) if moved else reported.last_updated
