"""Routing as the requirements say it, a second and slower reading: matrix M row by row, F1 to F4, F8, and R-056 to
R-093. It knows no index, no snapshot and no memory."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.domain.decisions import Request
from hub.domain.platform import Platform
from hub.ocpi.names import Role
from tests.properties.reach_oracle import (
    TOLD,
    There,
    acting,
    active_roles,
    everyone,
    leading_to,
    lower,
    may,
    of_platform,
    reserved,
    seen_by,
    url_at,
)
from tests.properties.routing_worlds import World
from tests.unit.domain.platforms import HUB


@dataclass(frozen=True)
class Answered:
    """The hub answers itself."""

    http: int
    code: int


@dataclass(frozen=True, order=True)
class Sent:
    """Sent on: FROM and TO (lower case), to which platform, at which URL."""

    sender: str
    receiver: str
    platform_id: str
    url: str


@dataclass(frozen=True)
class Told:
    """Told to everybody by these legs, in order of receiver, then platform."""

    sender: str
    owner: str
    legs: tuple[Sent, ...]
    stored_only: bool


@dataclass(frozen=True)
class Shown:
    """Out of what the hub holds, objects of these owners: `all` for a list, else `one`."""

    what: str
    sender: str
    owners: frozenset[str]


@dataclass(frozen=True)
class Opened:
    """Whoever the content leads to receives it."""

    sender: str


Expected = Answered | Sent | Told | Shown | Opened

# Matrix M, one line per row or part of a row; the first that fits counts. `held`: locations, tariffs, tokens. Where
# TO is absent, the lines are those of the column "open routing" in the table of endpoints, 2.2.
_MATRIX = """
party   any       any             any                         direct
hub     any       any             custom                      nobody
absent  any       any             custom                      nobody
hub     SENDER    list            held                        list of all
hub     SENDER    list            any                         not held
hub     SENDER    GET             held                        one of all
hub     SENDER    PUT,POST        any                         open
hub     any       any             commands,chargingprofiles   open
hub     RECEIVER  PUT,PATCH,POST  held                        everybody
hub     RECEIVER  DELETE          tariffs                     everybody
hub     RECEIVER  any             cdrs,sessions               open
hub     RECEIVER  GET             held                        own copy
absent  SENDER    list            any                         list without TO
absent  RECEIVER  GET             held                        nobody
absent  RECEIVER  PUT,PATCH       locations,tokens            everybody
absent  RECEIVER  PUT,DELETE      tariffs                     everybody
absent  any       any             any                         open
"""
MATRIX = [line.split(maxsplit=4) for line in _MATRIX.strip().split("\n")]


def treated_as(request: Request, lenient: bool) -> str:
    """The last column of the row that fits."""
    to = "absent" if request.to is None else "hub" if request.to == HUB else "party"
    modules = {request.module, "any", *(["held"] if request.module in TOLD else []), *(["custom"] * request.custom)}
    methods = {request.method, "any", *(["list"] if request.is_list and request.method == "GET" else [])}
    for row_to, interface, row_methods, row_modules, meaning in MATRIX:
        if (
            row_to == to
            and interface in ("any", request.interface)
            and methods & set(row_methods.split(","))
            and modules & set(row_modules.split(","))
        ):
            if meaning == "list without TO":  # T-30
                return treated_as(request._replace(to=HUB), lenient) if lenient else "nobody"
            return meaning
    raise AssertionError(f"matrix M says nothing about {request}")


def expected(world: World, request: Request) -> Expected:
    """What the requirements say about a request, asked in the order in which it is answered."""
    mine = next((there for there in world.platforms if there.id == request.platform_id), None)
    if mine is None:
        return Answered(401, 2000)
    sender = speaker(world, mine, request)
    if isinstance(sender, Answered):
        return sender
    match treated_as(request, world.choices.lenient_lists):
        case "direct":
            return direct(world, mine, sender, str(lower(request.to)), request)
        case "list of all":
            return Shown("all", sender, seen_by(world, mine, sender, request.module))
        case "one of all":
            return Shown("one", sender, seen_by(world, mine, sender, request.module))
        case "own copy":
            return Shown("one", sender, frozenset({sender})) if lower(request.owner) == sender else Answered(200, 2001)
        case "not held":  # ruling 14
            return Answered(200, 2001)
        case "everybody":
            return everybody(world, mine, sender, request)
        case "open":
            return Opened(sender)
        case _:  # F2
            return Answered(200, 4001)


def speaker(world: World, mine: Platform, request: Request) -> Answered | str:
    """Who sends this: R-056, R-057, what suspension forbids, T-23."""
    claimed, owner = lower(request.sender), lower(request.owner)
    own = {there.party for there in of_platform(world, mine)}
    callers, _ = acting(request.module, request.interface)
    if claimed is not None:
        if claimed not in own:
            return Answered(403, 2001)
        sender = claimed
    elif owner in own:
        sender = str(owner)
    else:
        # The only party that can act; where nobody typically acts, the only party there is. Who is suspended can not,
        # and nobody speaks in the name of another. Whom a peer hub has behind it, it has to name.
        roles = [role for role in mine.roles if role.role in callers] or mine.roles
        can = {str(lower(role.party)) for role in roles if not role.suspended}
        can = can or {str(lower(role.party)) for role in roles}
        if len(can) != 1:
            return Answered(200, 2001)
        (sender,) = can
    if is_suspended(world, mine, sender, request):
        return Answered(403, 2000)
    return sender if owner is None or owner in own else Answered(404, 2001)


def is_suspended(world: World, mine: Platform, sender: str, request: Request) -> bool:
    """Suspension is of a role, so the ones it acts in count: here by this hub's operator, behind a peer by what that
    reports.
    """
    callers, _ = acting(request.module, request.interface)
    roles = {there.role for there in of_platform(world, mine) if there.party == sender}
    acts = roles & callers or roles
    return acts != set() and not acts & active_roles(world, mine, sender)


def direct(world: World, mine: Platform, sender: str, to: str, request: Request) -> Answered | Sent:
    there = [one for one in everyone(world) if one.party == to]
    if not there:  # F4 for those who may reach it once it is there; F1
        return Answered(200, 4003 if may_expect(world, mine, sender, to, request) else 4001)

    # in the role that serves. F3: as far as there is an agreement.
    _, servers = acting(request.module, request.interface)
    there = [one for one in there if one.role in servers] or there
    there = [one for one in there if may(world, mine, sender, one, request.module, request.interface)]
    if not there:
        return Answered(200, 4001)

    # by endpoint, else F2. Peer hubs are ways to one and the same party: the first one that leads there.
    homes = homes_of(there)
    if len(homes) > 1:
        homes = [home for home in homes if url_at(home, request.module, request.interface)] or homes
    if len(homes) > 1 and there[0].behind:
        connected = [one.home for one in there if one.state == "CONNECTED" and one.home in homes]
        homes = (connected or homes)[:1]
    if len(homes) > 1:
        return Answered(200, 4001)

    # never back. F4: in no fitting role connected. F8: no such endpoint.
    (home,) = homes
    there = [one for one in there if one.home is home]
    url = url_at(home, request.module, request.interface)
    if there[0].behind and home is mine:
        return Answered(200, 4000)
    if all(one.state != "CONNECTED" for one in there):
        return Answered(200, 4003)
    return Answered(200, 4000) if url is None else Sent(sender, to, home.id, url)


def may_expect(world: World, mine: Platform, sender: str, to: str, request: Request) -> bool:
    """Whether a party is reserved in a role in which the sender may reach it."""
    return any(
        lower(name.party) == to
        and may(world, mine, sender, There(mine, to, name.role, "PLANNED", False), request.module, request.interface)
        for name in reserved(world)
    )


def homes_of(there: Sequence[There]) -> list[Platform]:
    """Each platform once, in order."""
    return [one.home for at, one in enumerate(there) if one.home not in [before.home for before in there[:at]]]


def everybody(world: World, mine: Platform, sender: str, request: Request) -> Answered | Told:
    """R-071 to R-079: from the owner alone, who must be one that has such objects; or from a peer hub for one that it
    has, which is a leg to this hub and told no further (R-208, T-26).
    """
    owner = lower(request.owner) or sender
    from_hub = any(lower(role.party) == sender and role.role is Role.HUB for role in mine.roles)
    if owner != sender and not from_hub:
        return Answered(200, 2001)
    owners, _ = acting(request.module, request.interface)
    if not active_roles(world, mine, owner) & owners:
        return Answered(200, 2001)
    here = owner in {lower(role.party) for role in mine.roles}
    if not here and leading_to(world, owner) is not mine:
        return Answered(200, 2001)
    if from_hub or not here:
        return Told(sender, owner, (), stored_only=True)
    return Told(sender, owner, legs_for_all(world, mine, owner, request), stored_only=False)


def legs_for_all(world: World, mine: Platform, owner: str, request: Request) -> tuple[Sent, ...]:
    """R-073 to R-075, RT3, T-24: one leg per party and platform; behind peer hubs one per party, and none through the
    one it came from (R-207, R-208).
    """
    legs: list[Sent] = []
    for there in everyone(world):
        wanted = there.role in TOLD[request.module] and there.state == "CONNECTED"
        own = there.party == owner or (there.home is mine and not world.choices.broadcast_own_platform)
        too_far = there.behind and (there.home is mine or not world.choices.broadcast_across_hubs)
        told = there.party in [leg.receiver for leg in legs if there.behind or leg.platform_id == there.home.id]
        url = url_at(there.home, request.module, request.interface)
        reached = may(world, mine, owner, there, request.module, request.interface)
        if wanted and reached and url and not (own or too_far or told):
            speaks = owner if there.home.settings.broadcast_as_direct else str(lower(HUB))
            legs.append(Sent(speaks, there.party, there.home.id, url))
    return tuple(sorted(legs, key=lambda leg: (leg.receiver.replace("/", "*"), leg.platform_id)))


def one_of(world: World, mine: Platform, sender: str, candidates: Sequence[str], request: Request) -> Answered | Sent:
    """R-085: the one that is left by acting role and agreement; none or several are F2."""
    _, servers = acting(request.module, request.interface)
    left = {
        there.party
        for there in everyone(world)
        if there.party in candidates
        and there.role in servers
        and may(world, mine, sender, there, request.module, request.interface)
    }
    if len(left) > 1:  # one that is suspended does not make another one doubtful
        left = {one.party for one in everyone(world) if one.party in left and one.state != "SUSPENDED"} or left
    return direct(world, mine, sender, left.pop(), request) if len(left) == 1 else Answered(200, 4001)


def along_a_url(world: World, mine: Platform, sender: str, home: str, to: str, request: Request) -> Answered | Sent:
    """A message along a URL the hub gave out: agreements are not asked again (ruling 19)."""
    if is_suspended(world, mine, sender, request):
        return Answered(403, 2000)
    there = [one for one in everyone(world) if one.party == to and one.home.id == home]
    if not there:
        return Answered(200, 4001)
    _, servers = acting(request.module, request.interface)
    fitting = [one for one in there if one.role in servers] or there
    if all(one.state != "CONNECTED" for one in fitting):
        return Answered(200, 4003)
    return Sent(sender, to, home, url_at(there[0].home, request.module, request.interface) or "")
