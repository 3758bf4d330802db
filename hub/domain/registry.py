"""The registry snapshot: every platform and party, immutable and indexed for routing. A change builds a new one, out of
what is known already of the platforms that did not change.
"""

from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass

from hub.domain.agreements import Agreements
from hub.domain.platform import HostedRole, InboundToken, Platform, ReportedParty, RoleName
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


@dataclass(frozen=True, slots=True, eq=False)
class _Derived:
    """What follows from one platform alone; seats by party, the rest as the snapshot's look-ups have it."""

    platform: Platform
    tokens: dict[str, tuple[Platform, InboundToken]]
    held: dict[str, str]
    seats: dict[str, tuple[Seat, ...]]
    remote: dict[str, tuple[RemoteSeat, ...]]
    planned: frozenset[str]
    endpoints: dict[tuple[str, Interface], str]
    origins: frozenset[tuple[str, str, int]]


class RegistrySnapshot:
    """Look-ups by token fingerprint, party and role. `generation` is that of the store when it said the same;
    `agreements` say who may reach whom.
    """

    __slots__ = (
        "_by_id",
        "_holders",
        "_offered",
        "_parties",
        "_planned",
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
        self._index({platform.id: _derive(platform) for platform in platforms})

    def _index(self, known: dict[str, _Derived]) -> None:
        self._by_id = known
        self._parties: dict[str, tuple[Seat, ...]] = {}
        self._remote: dict[str, tuple[RemoteSeat, ...]] = {}
        self._planned: set[str] = set()
        self._holders: dict[str, str] = {}
        self._tokens: dict[str, tuple[Platform, InboundToken]] = {}
        self._seats: tuple[Seat, ...] | None = None
        self._offered: frozenset[tuple[str, Interface]] | None = None
        for one in known.values():
            self._tokens.update(one.tokens)
            for key, seats in one.seats.items():
                self._parties[key] = (*self._parties[key], *seats) if key in self._parties else seats
            for key, behind in one.remote.items():
                self._remote[key] = (*self._remote[key], *behind) if key in self._remote else behind
            self._planned |= one.planned
        # Of two that hold the same triple, the first counts.
        for one in reversed(known.values()):
            self._holders.update(one.held)

    def _with(self, known: dict[str, _Derived], generation: int, agreements: Agreements) -> "RegistrySnapshot":
        other = copy(self)
        other.generation, other.agreements = generation, agreements
        if known is not self._by_id:
            other._index(known)
        return other

    def replacing(self, platform: Platform, generation: int | None = None) -> "RegistrySnapshot":
        """A snapshot in which this platform stands in place of the one with its id."""
        known = {**self._by_id, platform.id: _derive(platform)}
        return self._with(known, self.generation if generation is None else generation, self.agreements)

    def without(self, platform_id: str) -> "RegistrySnapshot":
        known = {key: one for key, one in self._by_id.items() if key != platform_id}
        return self._with(known, self.generation, self.agreements)

    def under(self, agreements: Agreements) -> "RegistrySnapshot":
        """The same platforms under other agreements."""
        return self._with(self._by_id, self.generation, agreements)

    def reread(self, platforms: Iterable[Platform], generation: int, agreements: Agreements) -> "RegistrySnapshot":
        """A snapshot of exactly these: itself, now of this generation, when they are the very same objects in the same
        order. So what was worked out from a snapshot is worth as long as nothing has changed.
        """
        known: dict[str, _Derived] = {}
        for platform in platforms:
            mine = self._by_id.get(platform.id)
            known[platform.id] = mine if mine is not None and mine.platform is platform else _derive(platform)
        same = list(known) == list(self._by_id) and all(one is self._by_id[key] for key, one in known.items())
        if same and agreements is self.agreements:
            self.generation = generation
            return self
        return self._with(self._by_id if same else known, generation, agreements)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        return tuple(one.platform for one in self._by_id.values())

    @property
    def seats(self) -> tuple[Seat, ...]:
        """Every hosted role, in order of party, then role."""
        if self._seats is None:
            self._seats = tuple(
                seat
                for key in sorted(self._parties)
                for seat in sorted(self._parties[key], key=lambda seat: seat.role.role.value)
            )
        return self._seats

    def platform(self, platform_id: str) -> Platform | None:
        known = self._by_id.get(platform_id)
        return None if known is None else known.platform

    def by_fingerprint(self, fingerprint: str) -> tuple[Platform, InboundToken] | None:
        return self._tokens.get(fingerprint)

    def seats_of(self, party: PartyId) -> tuple[Seat, ...]:
        """The party's roles on all platforms; empty when nobody has it."""
        return self._parties.get(party.key, ())

    def remote_seats_of(self, party: PartyId) -> tuple[RemoteSeat, ...]:
        """The party's roles behind peer hubs, those known longest first. A party that has a seat here wins over these
        (ruling 24), and one that is reserved for somebody here has none.
        """
        return () if party.key in self._planned else self._remote.get(party.key, ())

    @property
    def remote_seats(self) -> tuple[RemoteSeat, ...]:
        """Every role behind every peer hub."""
        return tuple(seat for key, seats in self._remote.items() if key not in self._planned for seat in seats)

    def leads_to(self, party: PartyId) -> Platform | None:
        """The peer hub that publishes for a party behind it: of several the one known longest among those that are
        connected. None when it is here or nowhere.
        """
        hubs = [] if self.seats_of(party) else [seat.platform for seat in self.remote_seats_of(party)]
        connected = (hub for hub in hubs if hub.status is ConnectionStatus.CONNECTED)
        return next(connected, hubs[0] if hubs else None)

    def reserved(self, party: PartyId) -> tuple[RoleName, ...]:
        """The roles in which a party is reserved for platforms that have not registered yet."""
        invited = (one.platform for one in self._by_id.values() if one.planned)
        return tuple(name for platform in invited for name in platform.approved if name.party == party)

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
        for remote in () if local else self.remote_seats_of(party):
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
            for seat in self.remote_seats_of(party)
            if seat.platform.id == platform.id and (suspended or seat.reported.status is not ConnectionStatus.SUSPENDED)
        )

    def holder_of(self, role_key: str) -> str | None:
        """The id of the platform that hosts or reserves a (role, country, party) triple."""
        return self._holders.get(role_key)

    def endpoint(self, platform: Platform, module: str, interface: Interface) -> str | None:
        """Where the platform serves this module and interface: the operator's override, else what it advertises."""
        known = self._by_id.get(platform.id)
        return None if known is None else known.endpoints.get((module, interface))

    def advertises(self, platform: Platform) -> frozenset[tuple[str, Interface]]:
        known = self._by_id.get(platform.id)
        return frozenset() if known is None else frozenset(known.endpoints)

    def is_offered(self, module: str, interface: Interface) -> bool:
        """Whether any platform advertises this module and interface."""
        if self._offered is None:
            self._offered = frozenset().union(*(one.endpoints for one in self._by_id.values()))
        return (module, interface) in self._offered

    def owns_url(self, platform: Platform, url: str) -> bool:
        """Whether scheme, host and port of a URL are those of one of the platform's registered endpoints (R-044)."""
        known = self._by_id.get(platform.id)
        return known is not None and urls.origin(url) in known.origins


def _derive(platform: Platform) -> _Derived:
    seats: dict[str, tuple[Seat, ...]] = {}
    for role in platform.roles:
        party = role.party
        seats[party.key] = (*seats.get(party.key, ()), Seat(platform, role, party))
    remote: dict[str, tuple[RemoteSeat, ...]] = {}
    for reported in platform.reported if platform.is_peer else ():
        key = reported.party.key
        remote[key] = (*remote.get(key, ()), RemoteSeat(platform, reported))
    planned = platform.status is ConnectionStatus.PLANNED
    endpoints, registered = _addresses(platform)
    origins = (urls.origin(url) for url in {*endpoints.values(), *registered})
    return _Derived(
        platform,
        {token.fingerprint: (platform, token) for token in platform.tokens},
        dict.fromkeys(platform.held_keys, platform.id),
        seats,
        remote,
        frozenset(name.party.key for name in platform.approved) if planned else frozenset(),
        endpoints,
        frozenset(origin for origin in origins if origin),
    )


def _addresses(platform: Platform) -> tuple[dict[tuple[str, Interface], str], list[str]]:
    """Where each module and interface is served, and every URL the platform registered."""
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
    return endpoints, registered
