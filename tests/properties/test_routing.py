"""Routing against an oracle: the rows of matrix M that lead to one party, F1, F2, F4, F8 and R-056 to R-060, written as
a second, slower reading of the same rules. It knows no index, no snapshot and no memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.platform import HostedRole, Platform
from hub.domain.registry import RegistrySnapshot
from hub.domain.routing import Direct, Refused, Request, Router, route
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from tests.unit.domain.acting import ACTING
from tests.unit.domain.platforms import HUB, hosted, platform, reserved, url_of

MODULES = ("locations", "tokens", "commands", "chargingprofiles")
CUSTOM = "x-own"
SPELLINGS = ("NL/ABC", "nl/abc", "NL/DEF", "DE/ABC", "De/aBc")
ENDPOINTS = [(module, side) for module in (*MODULES, CUSTOM) for side in Interface]


@dataclass(frozen=True)
class Answered:
    """The hub answers itself."""

    http: int
    code: int


@dataclass(frozen=True)
class Sent:
    """Sent on: between whom (lower case), to which platform, at which URL."""

    sender: str
    receiver: str
    platform_id: str
    url: str


def name(role: HostedRole) -> str:
    return f"{role.country_code}/{role.party_id}".lower()


def lower(party: PartyId | None) -> str | None:
    return None if party is None else str(party).lower()


def acting(request: Request) -> tuple[frozenset[Role], frozenset[Role]]:
    return ACTING.get((request.module, request.interface), (frozenset(Role), frozenset(Role)))


def speaker(mine: Platform, request: Request) -> Answered | str:
    """Who sends this: R-056, R-057, what suspension forbids, T-23."""
    claimed, owner = lower(request.sender), lower(request.owner)
    own = {name(role) for role in mine.roles}
    callers, _ = acting(request)
    if claimed is not None:
        if claimed not in own:
            return Answered(403, 2001)
        sender = claimed
    elif owner in own:
        sender = str(owner)
    else:
        # The only party that can act; where nobody typically acts, the only party there is.
        can = {name(role) for role in mine.roles if role.role in callers} or own
        if len(can) != 1:
            return Answered(200, 2001)
        (sender,) = can

    # Suspension is of a role, so the one it acts in counts.
    acts = [role for role in mine.roles if name(role) == sender and role.role in callers]
    acts = acts or [role for role in mine.roles if name(role) == sender]
    if all(role.suspended for role in acts):
        return Answered(403, 2000)
    return sender if owner is None or owner in own else Answered(404, 2001)


def is_planned(there: Platform, party: str) -> bool:
    invited = there.connection is None and not there.was_registered and not there.suspended
    return invited and any(str(one.party).lower() == party for one in there.approved)


def serves(there: Platform, request: Request) -> bool:
    return there.connection is not None and (request.module, request.interface) in {
        (one.module, one.interface) for one in there.connection.endpoints
    }


def expected(platforms: Sequence[Platform], request: Request) -> Answered | Sent:
    """What the requirements say about a request, asked in the order in which it is answered."""
    mine = next((there for there in platforms if there.id == request.platform_id), None)
    if mine is None:
        return Answered(401, 2000)
    sender = speaker(mine, request)
    if isinstance(sender, Answered):
        return sender

    # Matrix M: TO = hub and TO absent are not served yet.
    to = lower(request.to)
    if to is None or to == lower(HUB):
        return Answered(200, 4001)
    seats = [(there, role) for there in platforms for role in there.roles if name(role) == to]
    if not seats:  # F4, F1
        return Answered(200, 4003 if any(is_planned(there, to) for there in platforms) else 4001)

    # by acting role, then by endpoint, else F2. A custom module has no acting roles (ruling 16).
    _, servers = acting(request)
    if not request.custom:
        seats = [seat for seat in seats if seat[1].role in servers] or seats
    homes = {there.id for there, _ in seats}
    if len(homes) > 1:
        homes = {there.id for there, _ in seats if serves(there, request)} or homes
    if len(homes) > 1:
        return Answered(200, 4001)

    # F4: not connected, in this role. F8: no such endpoint.
    receiver = next(there for there in platforms if there.id in homes)
    suspended = all(role.suspended for there, role in seats if there is receiver)
    if receiver.suspended or receiver.connection is None or suspended:
        return Answered(200, 4003)
    if not serves(receiver, request):
        return Answered(200, 4000)
    return Sent(sender, to, receiver.id, url_of(receiver.id, request.module, request.interface))


SELDOM = st.integers(0, 9).map(lambda number: number == 9)


def hosted_roles() -> st.SearchStrategy[HostedRole]:
    return st.builds(
        hosted, st.sampled_from([Role.CPO, Role.EMSP, *Role]), st.sampled_from(SPELLINGS), suspended=SELDOM
    )


@st.composite
def registries(draw: st.DrawFn) -> list[Platform]:
    platforms = []
    for platform_id in ("P1", "P2", "P3")[: draw(st.integers(1, 3))]:
        registered = not draw(SELDOM)
        was_registered = registered or draw(st.booleans())
        missing = draw(st.sets(st.sampled_from(ENDPOINTS), max_size=8))
        platforms.append(
            platform(
                platform_id,
                draw(st.lists(hosted_roles(), min_size=1, max_size=4)) if was_registered else [],
                [endpoint for endpoint in ENDPOINTS if endpoint not in missing] if registered else None,
                approved=draw(
                    st.lists(st.builds(reserved, st.sampled_from(Role), st.sampled_from(SPELLINGS)), max_size=1)
                ),
                suspended=draw(SELDOM),
                was_registered=was_registered,
            )
        )
    return platforms


def parties(texts: Sequence[str]) -> st.SearchStrategy[PartyId]:
    return st.sampled_from(texts).map(lambda text: PartyId(*text.split("/")))


@st.composite
def requests(draw: st.DrawFn, platforms: Sequence[Platform]) -> Request:
    """A request that is mostly in order: sent by a party of the platform, to a party that some platform has."""
    mine = draw(st.sampled_from(platforms))
    own = [name(role) for role in mine.roles] or ["nl/abc"]
    known = [name(role) for there in platforms for role in there.roles] or ["nl/abc"]
    module = draw(st.sampled_from((*MODULES, CUSTOM)))
    return Request(
        platform_id="P9" if draw(SELDOM) and draw(SELDOM) else mine.id,
        to=draw(
            st.none() | parties([*SPELLINGS, "NL/HUB", "nl/hub", "XX/ZZZ", "*/**"]) if draw(SELDOM) else parties(known)
        ),
        sender=draw(parties([*SPELLINGS, "NL/HUB"]) if draw(SELDOM) else st.none() | parties(own)),
        module=module,
        interface=draw(st.sampled_from(Interface)),
        owner=draw(parties([*SPELLINGS, "%4EL/ABC"]) if draw(SELDOM) else st.none() | parties(own)),
        custom=module == CUSTOM,
    )


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Platform], Request]:
    platforms = draw(registries())
    return platforms, draw(requests(platforms))


def simplified(decision: Direct | Refused) -> Answered | Sent:
    if isinstance(decision, Refused):
        return Answered(decision.http, decision.code)
    return Sent(str(decision.sender).lower(), str(decision.receiver).lower(), decision.platform.id, decision.endpoint)


@settings(max_examples=200)
@given(situations())
def test_route_says_what_the_requirements_say(situation: tuple[list[Platform], Request]) -> None:
    platforms, request = situation
    decision = route(RegistrySnapshot(platforms), HUB, request)

    assert simplified(decision) == expected(platforms, request)
    if isinstance(decision, Direct):  # the registered spellings
        homes = {there.id: there for there in platforms}
        for party, home in ((decision.sender, homes[request.platform_id]), (decision.receiver, decision.platform)):
            assert str(party) in {f"{role.country_code}/{role.party_id}" for role in home.roles}
    else:
        assert decision.message


@given(
    st.lists(situations(), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=25),
)
def test_the_router_never_says_anything_else(
    several: list[tuple[list[Platform], Request]], turns: list[tuple[int, int]]
) -> None:
    """Over changing snapshots, with a memory that overflows."""
    snapshots = [RegistrySnapshot(platforms) for platforms, _ in several]
    router = Router(HUB, limit=2)

    for there, asked in turns:
        snapshot, request = snapshots[there % len(several)], several[asked % len(several)][1]
        assert router.decide(snapshot, request) == route(snapshot, HUB, request)
