"""The registry snapshot: every platform and party, immutable and indexed for routing. A change builds a new one."""

from collections.abc import Iterable
from dataclasses import dataclass

from hub.domain.agreements import Agreements
from hub.domain.platform import HostedRole, InboundToken, Platform, ReportedParty
from hub.ocpi import urls
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId


@dataclass(frozen=True, slots=True)
class Seat:
    """One role of one party on one platform."""

    platform: Platform
    role: HostedRole
    party: PartyId


@dataclass(frozen=True, slots=True)
class RemoteSeat:
    """One role of one party behind a peer hub, which is the platform (R-205)."""

    platform: Platform
    reported: ReportedParty

    @property
    def party(self) -> PartyId:
        return self.reported.party


class RegistrySnapshot:
    """Look-ups by token fingerprint, party and role. `generation` is the store's at the time of reading; `agreements`
    say who may reach whom.
    """

    __slots__ = (
        "_endpoints",
        "_holders",
        "_offered",
        "_origins",
        "_parties",
        "_planned",
        "_platforms",
        "_remote",
        "_seats",
        "_tokens",
        "agreements",
        "generation",
    )

    def __init__(
        self, platforms: Iterable[Platform] = (), generation: int = 0, agreements: Agreements | None = None
    ) -> None:
        self.generation = generation
        self.agreements = agreements or Agreements()
        self._platforms: dict[str, Platform] = {}
        self._parties: dict[str, tuple[Seat, ...]] = {}
        self._remote: dict[str, tuple[RemoteSeat, ...]] = {}
        self._seats: tuple[Seat, ...] | None = None
        self._planned: set[str] = set()
        self._holders: dict[str, str] = {}
        self._tokens: dict[str, tuple[Platform, InboundToken]] = {}
        self._endpoints: dict[str, dict[tuple[str, Interface], str]] = {}
        self._offered: set[tuple[str, Interface]] = set()
        self._origins: dict[str, frozenset[tuple[str, str, int]]] = {}
        for platform in platforms:
            self._add(platform)

    def _add(self, platform: Platform) -> None:
        self._platforms[platform.id] = platform
        for token in platform.tokens:
            self._tokens[token.fingerprint] = (platform, token)
        for key in platform.held_keys:
            self._holders.setdefault(key, platform.id)
        for role in platform.roles:
            party = role.party
            self._parties[party.key] = (*self._parties.get(party.key, ()), Seat(platform, role, party))
        for reported in platform.reported if platform.is_peer else ():
            key = reported.party.key
            self._remote[key] = (*self._remote.get(key, ()), RemoteSeat(platform, reported))
        if platform.status is ConnectionStatus.PLANNED:
            self._planned.update(name.party.key for name in platform.approved)
        endpoints: dict[tuple[str, Interface], str] = {}
        registered: list[str] = []
        if platform.connection is not None:
            registered.append(platform.connection.versions_url)
            for endpoint in platform.connection.endpoints:
                registered.append(endpoint.url)
                if endpoint.interface is not None:
                    endpoints.setdefault((endpoint.module, endpoint.interface), endpoint.url)
        for name, url in platform.settings.endpoint_overrides.items():
            module, _, interface = name.partition("/")
            endpoints[module, Interface(interface)] = url
        self._endpoints[platform.id] = endpoints
        self._offered.update(endpoints)
        origins = (urls.origin(url) for url in (*endpoints.values(), *registered))
        self._origins[platform.id] = frozenset(found for found in origins if found)

    def replacing(self, platform: Platform, generation: int | None = None) -> "RegistrySnapshot":
        """A snapshot in which this platform stands in place of the one with its id."""
        kept = {**self._platforms, platform.id: platform}
        known = self.generation if generation is None else generation
        return RegistrySnapshot(kept.values(), known, self.agreements)

    def without(self, platform_id: str) -> "RegistrySnapshot":
        kept = (one for one in self._platforms.values() if one.id != platform_id)
        return RegistrySnapshot(kept, self.generation, self.agreements)

    def under(self, agreements: Agreements) -> "RegistrySnapshot":
        """The same platforms under other agreements."""
        return RegistrySnapshot(self._platforms.values(), self.generation, agreements)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        return tuple(self._platforms.values())

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Every hosted role, in order of party, then role."""
        if self._seats is None:
            every = [seat for seats in self._parties.values() for seat in seats]
            self._seats = tuple(sorted(every, key=lambda seat: (seat.party.key, seat.role.role.value)))
        return self._seats

    def platform(self, platform_id: str) -> Platform | None:
        return self._platforms.get(platform_id)

    def by_fingerprint(self, fingerprint: str) -> tuple[Platform, InboundToken] | None:
        return self._tokens.get(fingerprint)

    def seats_of(self, party: PartyId) -> tuple[Seat, ...]:
        """The party's roles on all platforms; empty when nobody has it."""
        return self._parties.get(party.key, ())

    def remote_seats_of(self, party: PartyId) -> tuple[RemoteSeat, ...]:
        """The party's roles behind peer hubs. A party that has a seat here wins over these (ruling 24)."""
        return self._remote.get(party.key, ())

    @property
    def remote_seats(self) -> tuple[RemoteSeat, ...]:
        """Every role behind every peer hub."""
        return tuple(seat for seats in self._remote.values() for seat in seats)

    def is_planned(self, party: PartyId) -> bool:
        """Whether the party is reserved for a platform that has not registered yet (R-193)."""
        return party.key in self._planned

    def hosted(self, platform: Platform, party: PartyId) -> PartyId | None:
        """The registered spelling of a party if this platform hosts it, or has it behind it as a peer hub and nobody
        here has it.
        """
        local = self._parties.get(party.key, ())
        for seat in local:
            if seat.platform.id == platform.id:
                return seat.party
        for remote in () if local else self._remote.get(party.key, ()):
            if remote.platform.id == platform.id:
                return remote.party
        return None

    def roles_of(self, platform: Platform, party: PartyId, *, suspended: bool = False) -> frozenset[Role]:
        """The roles in which a party speaks through this platform; with `suspended` also those in which it may not.

        A party that has a seat here has no roles behind a peer hub (ruling 24).
        """
        local = self._parties.get(party.key, ())
        if local:
            return frozenset(
                seat.role.role
                for seat in local
                if seat.platform.id == platform.id and (suspended or not seat.role.suspended)
            )
        return frozenset(
            seat.reported.role
            for seat in self._remote.get(party.key, ())
            if seat.platform.id == platform.id and (suspended or seat.reported.status is not ConnectionStatus.SUSPENDED)
        )

    def holder_of(self, role_key: str) -> str | None:
        """The id of the platform that hosts or reserves a (role, country, party) triple."""
        return self._holders.get(role_key)

    def endpoint(self, platform: Platform, module: str, interface: Interface) -> str | None:
        """Where the platform serves this module and interface: the operator's override, else what it advertises."""
        return self._endpoints.get(platform.id, {}).get((module, interface))

    def advertises(self, platform: Platform) -> frozenset[tuple[str, Interface]]:
        return frozenset(self._endpoints.get(platform.id, {}))

    def is_offered(self, module: str, interface: Interface) -> bool:
        """Whether any platform advertises this module and interface."""
        return (module, interface) in self._offered

    def owns_url(self, platform: Platform, url: str) -> bool:
        """Whether scheme, host and port of a URL are those of one of the platform's registered endpoints (R-044)."""
        return urls.origin(url) in self._origins.get(platform.id, frozenset())
