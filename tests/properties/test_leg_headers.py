"""TO and FROM of every leg are those of the RT tables, in the spellings that parties registered (R-058); and a push for
everybody has one leg for each who is entitled to it, and no other (R-071 to R-075)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.decisions import Broadcast, Direct, Open
from hub.domain.platform import HostedRole, Platform, ReportedParty
from hub.domain.receivers import one_of, one_of_everybody
from hub.domain.routing import route
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from tests.properties.agreement_oracle import allows_any
from tests.properties.reach_oracle import TOLD, is_hub, lower, state_of, url_at
from tests.properties.routing_worlds import ENDPOINTS, SPELLINGS, Situation, World, parties, situations
from tests.unit.domain.acting import ACTING
from tests.unit.domain.platforms import HUB

PUSHES = [one for one in ENDPOINTS if one.module in TOLD and one.method in ("PUT", "PATCH", "DELETE")]
ANSWERED = [one for one in ENDPOINTS if one.module in ("sessions", "cdrs", "commands", "chargingprofiles")]


def led_to(home: Platform) -> list[HostedRole | ReportedParty]:
    """Everyone this platform leads to."""
    return [*home.roles, *(home.reported if is_hub(home) else ())]


def check_spelling(party: PartyId, home: Platform) -> None:
    assert str(party) in {f"{role.country_code}/{role.party_id}" for role in led_to(home)}


def home_of(world: World, platform_id: str) -> Platform:
    return next(home for home in world.platforms if home.id == platform_id)


@settings(max_examples=50)
@given(situations(to="party"))
def test_a_message_for_one_party_names_the_same_two_on_every_hop(situation: Situation) -> None:
    """RT2; RT6 when one of the two is behind a peer hub."""
    world, asked = situation
    for request in asked:
        leg = route(world.snapshot(), world.choices, request)
        if isinstance(leg, Direct):
            assert leg.receiver == request.to
            assert request.sender in (None, leg.sender)
            assert HUB not in (leg.sender, leg.receiver)
            check_spelling(leg.receiver, leg.platform)
            check_spelling(leg.sender, home_of(world, request.platform_id))


@settings(max_examples=50)
@given(situations(ANSWERED, "hub"), st.lists(parties(SPELLINGS), max_size=3))
def test_openly_routed_it_names_the_requester_and_the_party_found(
    situation: Situation, candidates: list[PartyId]
) -> None:
    """RT4."""
    world, asked = situation
    snapshot = world.snapshot()
    for request in asked:
        decision = route(snapshot, world.choices, request)
        if isinstance(decision, Open):
            mine = home_of(world, request.platform_id)
            leg = one_of(snapshot, mine, decision.sender, candidates, request)
            assert request.sender in (None, decision.sender)
            check_spelling(decision.sender, mine)
            if isinstance(leg, Direct):
                assert str(leg.sender) == str(decision.sender)
                assert leg.receiver in candidates
                check_spelling(leg.receiver, leg.platform)


@settings(max_examples=80)
@given(situations(PUSHES, "hub"))
def test_told_to_everybody_it_comes_from_the_hub_to_each_who_is_entitled(situation: Situation) -> None:
    """RT3, T-24."""
    world, asked = situation
    for request in asked:
        decision = route(world.snapshot(), world.choices, request)
        if not isinstance(decision, Broadcast):
            continue
        mine = home_of(world, request.platform_id)
        check_spelling(decision.owner, mine)
        for leg in decision.receivers:
            as_direct = leg.platform.settings.broadcast_as_direct
            assert str(leg.sender) == str(decision.owner if as_direct else HUB)
            check_spelling(leg.receiver, leg.platform)
            assert leg.endpoint == url_at(leg.platform, request.module, Interface.RECEIVER)

        told = [(leg.platform.id, lower(leg.receiver)) for leg in decision.receivers]
        assert len(told) == len(set(told))
        if decision.stored_only:
            assert told == []
            continue
        assert decision.sender == decision.owner
        near, far = entitled(world, mine, decision.owner, request.module)
        # Behind peer hubs one push per party, through one of those that lead there.
        behind = set(told) - near
        assert near <= set(told)
        assert behind <= far
        assert sorted(str(party) for _, party in behind) == sorted({str(party) for _, party in far})


Told = set[tuple[str, str | None]]


def entitled(world: World, mine: Platform, owner: PartyId, module: str) -> tuple[Told, Told]:
    """Platform and party of each who is to be told: of those here, and of those behind peer hubs."""
    publishers, _ = ACTING[module, Interface.RECEIVER]
    acts_as = {role.role for role in mine.roles if role.party == owner and not role.suspended} & publishers
    here = {role.party for home in world.platforms for role in home.roles}
    here |= {name.party for home in world.platforms if state_of(home) == "PLANNED" for name in home.approved}
    near: Told = set()
    far: Told = set()
    for home in world.platforms:
        for role in led_to(home):
            opposite = role.role in TOLD[module]
            connected = state_of(home) == "CONNECTED" and not is_away(role)
            takes = url_at(home, module, Interface.RECEIVER) is not None
            target = (str(lower(role.party)), role.role)
            permitted = allows_any(world.treaty, str(lower(owner)), acts_as, target, module)
            if not (opposite and connected and takes and permitted) or role.party == owner:
                continue
            if isinstance(role, HostedRole):
                if home is not mine or world.choices.broadcast_own_platform:
                    near.add((home.id, lower(role.party)))
            elif world.choices.broadcast_across_hubs and role.party not in here and home is not mine:
                far.add((home.id, lower(role.party)))
    return near, far


def is_away(role: HostedRole | ReportedParty) -> bool:
    return role.suspended if isinstance(role, HostedRole) else role.status != "CONNECTED"


@settings(max_examples=40)
@given(situations(PUSHES, "hub"))
def test_a_leg_that_waited_is_due_when_it_would_be_sent_anew(situation: Situation) -> None:
    """As it stands, and to the same endpoint; whom the operator's choices left out at first was never a leg."""
    world, asked = situation
    wide = world.choices._replace(broadcast_own_platform=True, broadcast_across_hubs=True)
    snapshot = world.snapshot()
    for request in asked:
        decision = route(snapshot, wide, request)
        if not isinstance(decision, Broadcast) or decision.stored_only:
            continue
        due = {(leg.platform.id, leg.receiver): leg for leg in decision.receivers}
        for home in world.platforms:
            for party in {role.party for role in led_to(home)} - {decision.owner}:
                origin = (request.platform_id, decision.owner)
                leg = one_of_everybody(snapshot, wide, origin, (home.id, party), request.module)

                # Through another peer hub than it would be now, a leg is as good as it was.
                if leg is None or (home.id, party) in due or any(role.party == party for role in home.roles):
                    assert leg == due.get((home.id, party))
                else:
                    assert home.id == request.platform_id or party in {party for _, party in due}
