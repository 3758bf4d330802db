"""Worlds to route in: platforms, peer hubs with parties behind them, agreements and an operator's choices; and requests
that somebody sends there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from hypothesis import strategies as st

from hub.domain.agreements import Agreement, Side
from hub.domain.decisions import Choices, Request
from hub.domain.platform import HostedRole, Platform, PlatformSettings, ReportedParty
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from tests.properties.agreement_oracle import FUNCTIONAL, Treaty
from tests.unit.domain.acting import ACTING
from tests.unit.domain.platforms import HUB, behind, hosted, party, platform, reserved

CUSTOM = "x-own"
ADVERTISED = [(module, side) for module in (*FUNCTIONAL, CUSTOM) for side in Interface]
# Parties of one platform, and some that are met here, there, and behind peer hubs, in several spellings.
HOMES = {
    "P1": ("NL/ABC", "nl/abc", "NL/DEF"),
    "P2": ("DE/ABC", "De/aBc", "DE/GHI"),
    "P3": ("FR/DEF", "fr/Def"),
    "H1": ("ES/CPS", "es/cps", "NL/JKL"),
    "H2": ("IT/DEF", "it/DEF"),
}
MET = ("BE/ALL", "be/all", "ES/CPS", "NL/ABC")
SPELLINGS = tuple(dict.fromkeys((*MET, *(text for texts in HOMES.values() for text in texts))))


class Asked(NamedTuple):
    """One way to call an endpoint. `bare`: nothing in the path; `owned`: it begins with a party."""

    module: str
    interface: Interface
    method: str
    bare: bool
    owned: bool


# The table of endpoints, section 2.2.
_ENDPOINTS = """
locations        SENDER   GET             bare
locations        SENDER   GET             object
locations        RECEIVER GET,PUT,PATCH   owned
sessions         SENDER   GET             bare
sessions         SENDER   PUT             object
sessions         RECEIVER GET,PUT,PATCH   owned
cdrs             SENDER   GET             bare
cdrs             RECEIVER POST            bare
cdrs             RECEIVER POST            owned
cdrs             RECEIVER GET             object
tariffs          SENDER   GET             bare
tariffs          RECEIVER GET,PUT,DELETE  owned
tokens           RECEIVER GET,PUT,PATCH   owned
tokens           SENDER   GET             bare
tokens           SENDER   POST            object
commands         RECEIVER POST            object
commands         SENDER   POST            object
chargingprofiles RECEIVER GET,PUT,DELETE  object
chargingprofiles SENDER   POST,PUT        object
"""
ENDPOINTS = [
    Asked(module, Interface(side), method, shape == "bare", shape == "owned")
    for module, side, methods, shape in (line.split() for line in _ENDPOINTS.strip().split("\n"))
    for method in methods.split(",")
]
OTHERS = [
    Asked(CUSTOM, side, method, bare, False)
    for side in Interface
    for method in ("GET", "PATCH")
    for bare in (True, False)
]


@dataclass(frozen=True, repr=False)
class World:
    """Everything a decision depends on besides the request."""

    platforms: tuple[Platform, ...]
    treaty: Treaty
    choices: Choices

    def snapshot(self) -> RegistrySnapshot:
        return RegistrySnapshot(self.platforms, agreements=self.treaty.ready())

    def __repr__(self) -> str:
        """Short, because it is read when a law is broken."""
        return "\n".join(
            [
                f"{self.treaty}, {self.choices}",
                *(
                    f"  {home.id}: {[(str(role.party), role.role.value, role.suspended) for role in home.roles]}"
                    f" behind it {[(str(one.party), one.role.value, one.status.value) for one in home.reported]}"
                    f" planned {[str(name) for name in home.approved]}"
                    f" suspended {home.suspended}, connected {home.connection is not None}, was {home.was_registered}"
                    for home in self.platforms
                ),
            ]
        )


Situation = tuple[World, list[Request]]

SELDOM = st.integers(0, 9).map(lambda number: number == 9)
COMMON_ROLES = [Role.CPO, Role.EMSP, *(role for role in Role if role is not Role.HUB)]
ROLES = st.sampled_from(COMMON_ROLES)
BITS = st.integers(0, 2 ** len(ADVERTISED) - 1)
MODULES = st.sets(st.sampled_from([*FUNCTIONAL, CUSTOM]), min_size=1, max_size=3).map(frozenset)


def parties(texts: Sequence[str]) -> st.SearchStrategy[PartyId]:
    return st.sampled_from(texts).map(party)


def names_at(home: str) -> tuple[str, ...]:
    """Names in use there, its own twice as often as any other's."""
    return (*HOMES[home], *HOMES[home], *MET)


# Every choice is one draw from a list: worlds are large and many.
_HOSTED = {
    home: [
        hosted(role, name, suspended=suspended)
        for suspended in (*[False] * 8, True)
        for role in COMMON_ROLES
        for name in names_at(home)
    ]
    for home in HOMES
}
_REPORTED = {
    home: [
        behind(role, name, status)
        for status in (*[ConnectionStatus.CONNECTED] * 3, *ConnectionStatus)
        for role in COMMON_ROLES
        for name in names_at(home)
    ]
    for home in HOMES
}
_SIDES = [
    Side(country_code, party_id, role)
    for country_code in (None, None, "NL", "de", "ES")
    for party_id in (None, None, "abc", "DEF", "CPS")
    for role in (*[None] * len(COMMON_ROLES), *COMMON_ROLES)
]


def _key(role: HostedRole | ReportedParty) -> str:
    return role.key


# Strategies are put together once, not while a world is drawn: that would be a third of the time a world takes.
_BOTH = st.booleans()
_ROLES_AT = {
    home: st.lists(st.sampled_from(roles), min_size=1, max_size=3, unique_by=_key) for home, roles in _HOSTED.items()
}
_REPORTED_BY = {
    home: st.lists(st.sampled_from(parties), max_size=4, unique_by=_key) for home, parties in _REPORTED.items()
}
_NAMES_AT = {home: st.sampled_from(names_at(home)) for home in HOMES}
_ADVERTISED = st.sampled_from(ADVERTISED)
_AGREEMENTS = st.tuples(st.sampled_from(_SIDES), st.sampled_from(_SIDES), st.none() | MODULES, _BOTH)
_OPEN = st.sampled_from([True, True, False])
_SOME_HOMES = st.lists(st.sampled_from(list(HOMES)), min_size=2, max_size=5, unique=True)


@st.composite
def platforms_like(draw: st.DrawFn, home: str) -> Platform:
    """A platform; a peer hub if its id says so."""
    peer = home.startswith("H")
    registered = not draw(SELDOM)
    was_registered = registered or draw(_BOTH)
    speaks = was_registered and (not peer or draw(SELDOM))
    roles = draw(_ROLES_AT[home]) if speaks else []
    missing = draw(BITS) & draw(BITS)
    module, side = draw(_ADVERTISED)
    overrides = {f"{module}/{side}": f"http://{home}.internal/{module}"} if registered and draw(SELDOM) else {}
    return platform(
        home,
        [hosted(Role.HUB, f"BE/{home}"), *roles] if peer and was_registered else roles,
        [one for at, one in enumerate(ADVERTISED) if not missing >> at & 1] if registered else None,
        approved=[reserved(draw(ROLES), draw(_NAMES_AT[home]))] if not registered else [],
        suspended=draw(SELDOM),
        was_registered=was_registered,
        settings=PlatformSettings(endpoint_overrides=overrides, broadcast_as_direct=draw(_BOTH)),
        # One who is no hub has nobody behind it, whatever it reported once.
        reported=draw(_REPORTED_BY[home]) if peer or draw(SELDOM) else (),
    )


_PLATFORMS_LIKE = {home: platforms_like(home) for home in HOMES}


@st.composite
def treaties(draw: st.DrawFn, most: int = 4) -> Treaty:
    drawn = draw(st.lists(_AGREEMENTS, max_size=most))
    return Treaty(tuple(Agreement(f"A{number}", *said) for number, said in enumerate(drawn)), draw(_OPEN))


_MAYBE_TREATIES = st.just(Treaty()) | treaties()


@st.composite
def worlds(draw: st.DrawFn) -> World:
    platforms = tuple(draw(_PLATFORMS_LIKE[home]) for home in draw(_SOME_HOMES))
    choices = Choices(HUB, draw(_BOTH), draw(_BOTH), draw(_BOTH))
    return World(platforms, draw(_MAYBE_TREATIES), choices)


_WORLDS = worlds()


def own_roles(mine: Platform) -> list[HostedRole | ReportedParty]:
    """Whom a platform speaks for."""
    return [*mine.roles, *(mine.reported if mine.is_peer else ())]


@st.composite
def requests(draw: st.DrawFn, world: World, endpoints: Sequence[Asked], to: str = "any") -> Request:
    """A request that is mostly in order: sent by a party of the platform that typically calls this endpoint. `to`:
    `party`, or `hub` for the hub or nobody, or `any` of both.
    """
    mine = draw(st.sampled_from(world.platforms))
    speaks = draw(st.sampled_from(own_roles(mine) or [hosted(Role.CPO, "NL/ABC")]))
    typical = [one for one in endpoints if speaks.role in ACTING[one.module, one.interface][0]]
    asked = draw(st.sampled_from(endpoints if draw(SELDOM) or not typical else typical))
    if to != "hub" and draw(SELDOM):
        asked = draw(st.sampled_from(OTHERS))

    own = [str(role.party) for role in own_roles(mine)] or ["NL/ABC"]
    # Who is met in many places is asked for as often.
    known = [str(role.party) for there in world.platforms for role in (*own_roles(there), *there.approved)] or own
    somebody = [*SPELLINGS, "XX/ZZZ", "*/**"] if draw(SELDOM) else known
    names: dict[str, list[str | None]] = {
        "party": [*somebody],
        "hub": _HUB_OR_NOBODY,
        "any": [*somebody, *_HUB_OR_NOBODY * (len(somebody) // 3 + 1)],
    }
    anybody = [*SPELLINGS, "NL/HUB", "BE/H1", "%4EL/ABC"]
    mostly = [*[str(speaks.party)] * 8, *own]
    return Request(
        platform_id="P9" if draw(SELDOM) and draw(SELDOM) else mine.id,
        to=draw(_named(names[to])),
        sender=draw(_named(anybody if draw(SELDOM) and draw(SELDOM) else [*[None] * 3, *mostly])),
        module=asked.module,
        interface=asked.interface,
        owner=draw(_named(anybody if draw(SELDOM) else mostly)) if asked.owned else None,
        custom=asked.module == CUSTOM,
        method=asked.method,
        is_list=asked.bare,
    )


_HUB_OR_NOBODY = [None, None, "NL/HUB", "nl/hub"]


def _named(names: Sequence[str | None]) -> st.SearchStrategy[PartyId | None]:
    return st.sampled_from(names).map(lambda name: None if name is None else party(name))


@st.composite
def situations(draw: st.DrawFn, endpoints: Sequence[Asked] = ENDPOINTS, to: str = "any", *, most: int = 8) -> Situation:
    """A world, and what is asked in it one after the other."""
    world = draw(_WORLDS)
    return world, draw(st.lists(requests(world, endpoints, to), min_size=1, max_size=most))
