"""Explaining says what routing does: in any world, for any question, and nothing else."""

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hub.domain.agreements import Agreement, Side
from hub.domain.decisions import Direct, Refused, Request, not_connected
from hub.domain.explaining import ByUrl, Explanation, Question, explain
from hub.domain.receivers import places_of
from hub.domain.routing import identify_sender, route
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from tests.properties.agreement_oracle import Treaty
from tests.properties.routing_worlds import (
    CUSTOM,
    ENDPOINTS,
    HOMES,
    SPELLINGS,
    World,
    own_roles,
    parties,
    requests,
    treaties,
    worlds,
)
from tests.unit.domain.platforms import HUB, party

UNREACHABLE = "may not reach it about"


@st.composite
def treaties_about(draw: st.DrawFn, world: World, target: PartyId | None) -> Treaty:
    """Any treaty, often with an agreement about one of the roles that the target has."""
    treaty = draw(treaties())
    roles = [role.role for there in world.platforms for role in own_roles(there) if role.party == target]
    if not roles:
        return treaty
    aimed = Agreement("aimed", Side(), Side(role=draw(st.sampled_from(roles))), None, draw(st.booleans()))
    return Treaty((*treaty.agreements, aimed), treaty.default_open)


@st.composite
def asked_like_messages(draw: st.DrawFn, *, named: bool = False) -> tuple[World, Question, Explanation]:
    """A message that is mostly in order, as a question; `named`: it is always for one party."""
    world = draw(worlds())
    request = draw(requests(world, ENDPOINTS))
    home = next((one for one in world.platforms if one.id == request.platform_id), world.platforms[0])
    own = [role.party for role in own_roles(home)]
    sender = request.sender or (own[0] if own else party("NL/ABC"))
    target = request.to
    if named and target in (None, HUB):
        target = draw(parties(SPELLINGS))
    if named:
        world = replace(world, treaty=draw(treaties_about(world, target)))
    question = Question(sender, target, request.module, request.interface, request.method)
    offline = draw(st.sets(st.sampled_from(list(HOMES)), max_size=2))
    return world, question, explain(world.snapshot(), world.choices, offline, question)


anything = st.builds(
    Question,
    parties([*SPELLINGS, "NL/HUB", "XX/ZZZ"]),
    st.none() | parties([*SPELLINGS, "NL/HUB", "XX/ZZZ"]),
    st.sampled_from(["locations", "tokens", "cdrs", "commands", "x-own", "credentials", ""]) | st.text(max_size=5),
    st.sampled_from(Interface),
    st.sampled_from(["GET", "PUT", "POST", "PATCH", "DELETE", ""]),
    st.none() | st.sampled_from(Role),
    st.none() | st.sampled_from(Role),
)


@given(worlds(), st.sets(st.sampled_from(list(HOMES))), anything)
def test_every_question_has_an_answer_in_one_sentence(world: World, offline: set[str], question: Question) -> None:
    found = explain(world.snapshot(), world.choices, offline, question)

    assert found.sentence.endswith(".")
    assert "\n" not in found.sentence.replace(question.module, "")
    assert (found.ruling is None) == (
        question.target is None or question.target == world.choices.hub or isinstance(found.would, ByUrl)
    )
    if isinstance(found.would, Direct):
        assert found.receiver is not None
        assert found.receiver.platform == found.would.platform
        assert found.would.platform.id not in offline


@settings(max_examples=200)
@given(asked_like_messages(named=True))
def test_what_it_says_of_agreements_is_what_routing_goes_by(case: tuple[World, Question, Explanation]) -> None:
    world, question, found = case
    would = found.would
    assert question.target is not None
    is_there = bool(places_of(world.snapshot(), question.target))

    if isinstance(would, ByUrl | Direct):
        assert found.allowed
    elif is_there and isinstance(would, Refused) and would.http == 200:
        # Whoever is let through hears what else is in the way; whoever is not, only that.
        assert found.allowed is (UNREACHABLE not in would.message)


@given(asked_like_messages())
def test_what_it_would_do_is_what_routing_decides(case: tuple[World, Question, Explanation]) -> None:
    world, question, found = case
    platform = found.platform
    assume(platform is not None and platform.connection is not None and not platform.suspended)
    assert platform is not None
    snapshot = world.snapshot()
    would = found.would
    assume(
        question.module != CUSTOM
        and not isinstance(would, ByUrl)
        and not (isinstance(would, Refused) and would.http in (404, 405))
    )
    asked = next(
        one
        for one in ENDPOINTS
        if (one.module, one.interface, one.method) == (question.module, question.interface, question.method)
    )
    request = Request(
        platform_id=platform.id,
        to=question.target,
        sender=question.origin,
        module=asked.module,
        interface=asked.interface,
        owner=question.origin if asked.owned else None,
        method=asked.method,
        is_list=asked.bare and asked.method == "GET",
    )

    decided = route(snapshot, world.choices, request)

    assert identify_sender(snapshot, platform, request) == question.origin
    if isinstance(decided, Direct) and would != decided:
        assert would == not_connected(decided.receiver)
    else:
        assert would == decided
