"""Routing against an oracle: every decision, whom open routing leads to, stored URLs, and the router's memory."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub.domain import routing
from hub.domain.decisions import Broadcast, Decision, Direct, GetAll, HubCopy, Open, Refused, Request
from hub.domain.receivers import one_of, visible_owners
from hub.domain.routing import Router, by_stored_url, route
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.versions import SERVED
from tests.properties import routing_oracle as oracle
from tests.properties.reach_oracle import TOLD, lower, of_platform, seen_by
from tests.properties.routing_oracle import Answered, Expected, Opened, Sent, Shown, Told
from tests.properties.routing_worlds import (
    ENDPOINTS,
    SPELLINGS,
    Asked,
    Situation,
    World,
    own_roles,
    parties,
    situations,
    worlds,
)
from tests.unit.domain.platforms import party

HELD = [one for one in ENDPOINTS if one.module in TOLD]
# What has no receiver by itself and is for one party.
OPEN = [one for one in ENDPOINTS if one.module not in TOLD or one.method == "POST" or one.interface is Interface.SENDER]


def text(party: PartyId) -> str:
    return str(lower(party))


def texts(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(key.replace("*", "/") for key in keys)


def sent(direct: Direct) -> Sent:
    return Sent(text(direct.sender), text(direct.receiver), direct.platform.id, direct.endpoint)


def simplified(decision: Decision) -> Expected:
    match decision:
        case Refused():
            assert decision.message
            return Answered(decision.http, decision.code)
        case Direct():
            return sent(decision)
        case Broadcast():
            legs = tuple(sent(leg) for leg in decision.receivers)
            return Told(text(decision.sender), text(decision.owner), legs, decision.stored_only)
        case GetAll():
            return Shown("all", text(decision.sender), texts(decision.owners))
        case HubCopy():
            return Shown("one", text(decision.sender), texts(decision.owners))
        case Open():
            return Opened(text(decision.sender))


def check(situation: Situation) -> None:
    world, asked = situation
    snapshot = world.snapshot()
    for request in asked:
        assert simplified(route(snapshot, world.choices, request)) == oracle.expected(world, request), request


@given(situations())
def test_route_says_what_the_requirements_say(situation: Situation) -> None:
    check(situation)


@settings(max_examples=300)
@given(situations(to="party"))
def test_so_it_does_where_somebody_is_named(situation: Situation) -> None:
    check(situation)


@settings(max_examples=60)
@given(situations(HELD, "hub"))
def test_so_it_does_where_the_hub_answers_and_tells_everybody(situation: Situation) -> None:
    check(situation)


def test_every_endpoint_of_the_version_is_asked() -> None:
    """The worlds' table of endpoints says the same as the hub's."""
    served = {
        Asked(table.module, table.interface, method, not shape.segments, shape.owned)
        for table in SERVED["2.2.1"].modules
        for shape in table.shapes
        for method in shape.methods
    }

    assert set(ENDPOINTS) == served


any_party = st.builds(PartyId, st.text(max_size=3), st.text(max_size=3)) | parties([*SPELLINGS, "NL/HUB"])


@given(
    worlds(),
    st.builds(
        Request,
        st.sampled_from(["P1", "H1", ""]),
        st.none() | any_party,
        st.none() | any_party,
        st.sampled_from(["locations", "tokens", "cdrs", "commands", "credentials", ""]) | st.text(max_size=5),
        st.sampled_from(Interface),
        st.none() | any_party,
        st.booleans(),
        st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", ""]),
        st.booleans(),
    ),
)
def test_whatever_is_asked_there_is_a_decision(world: World, request: Request) -> None:
    assert isinstance(route(world.snapshot(), world.choices, request), Decision)


@settings(max_examples=60)
@given(situations(OPEN, "hub"), st.lists(parties([*SPELLINGS, "XX/ZZZ"]), max_size=4))
def test_of_those_a_content_leads_to_one_is_left_or_nobody(situation: Situation, candidates: list[PartyId]) -> None:
    world, asked = situation
    snapshot = world.snapshot()
    decided = [(request, route(snapshot, world.choices, request)) for request in asked]
    opened = [(request, decision.sender) for request, decision in decided if isinstance(decision, Open)]
    assume(opened)
    for request, sender in opened:
        mine = next(home for home in world.platforms if home.id == request.platform_id)
        decision = one_of(snapshot, mine, sender, candidates, request)

        led = [text(candidate) for candidate in candidates]
        assert simplified(decision) == oracle.one_of(world, mine, text(sender), led, request), request


@settings(max_examples=60)
@given(situations(), st.data())
def test_along_a_stored_url_both_must_still_be_there(situation: Situation, data: st.DataObject) -> None:
    world, asked = situation
    snapshot = world.snapshot()
    ids = [*(home.id for home in world.platforms), "P9"]
    kept = [(home.id, role.party) for home in world.platforms for role in own_roles(home)]
    receivers = st.sampled_from(kept) if kept else st.nothing()
    for request in asked:
        mine = data.draw(st.sampled_from(world.platforms))
        sender = data.draw(parties([str(role.party) for role in own_roles(mine)] or ["NL/ABC"]))
        home, to = data.draw(receivers | receivers | st.tuples(st.sampled_from(ids), parties(SPELLINGS)))
        decision = by_stored_url(snapshot, (mine, sender), (home, to), request)

        assert simplified(decision) == oracle.along_a_url(world, mine, text(sender), home, text(to), request)


@settings(max_examples=60)
@given(worlds(), st.sampled_from(["locations", "tariffs", "tokens", "sessions", "cdrs"]))
def test_whose_objects_a_party_sees(world: World, module: str) -> None:
    snapshot = world.snapshot()
    for home in world.platforms:
        for sender in {there.party for there in of_platform(world, home)}:
            seen = visible_owners(snapshot, home, party(sender), module)

            assert texts(seen) == seen_by(world, home, sender, module)


@settings(max_examples=40)
@given(
    st.lists(situations(most=4), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), max_size=40),
)
def test_the_router_never_says_anything_else(several: list[Situation], turns: list[tuple[int, int, int]]) -> None:
    """Over changing snapshots, with memories that overflow."""
    snapshots = [world.snapshot() for world, _ in several]
    choices = several[0][0].choices
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(routing, "_MOST_WIDE", 2)
        router = Router(choices, limit=2)
        for there, where, which in turns:
            snapshot = snapshots[there % len(several)]
            asked = several[where % len(several)][1]
            request = asked[which % len(asked)]

            assert router.decide(snapshot, request) == route(snapshot, choices, request)
