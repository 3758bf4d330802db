"""Agreements: what they rule, against an oracle, and laws that hold whatever was agreed."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.agreements import Agreement, Ruling, Side
from hub.ocpi.names import Role
from tests.properties import agreement_oracle as oracle
from tests.properties.agreement_oracle import Acting, Treaty
from tests.properties.routing_worlds import ROLES, treaties
from tests.unit.domain.platforms import party

TREATIES = treaties(most=8)
MODULES = st.sampled_from(["locations", "tokens", "commands", "x-own", "x-other"])
# In any spelling.
SIDES = st.tuples(st.sampled_from(["NL/ABC", "nl/abc", "NL/DEF", "De/abc", "ES/CPS", "XX/ZZZ"]), ROLES)


def rule(treaty: Treaty, one: Acting, other: Acting, module: str) -> Ruling:
    return treaty.ready().ruling((party(one[0]), one[1]), (party(other[0]), other[1]), module)


def spelt_low(side: Acting) -> Acting:
    return side[0].lower(), side[1]


@given(TREATIES, SIDES, SIDES, MODULES)
def test_who_names_most_decides_and_of_several_one_that_forbids(
    treaty: Treaty, one: Acting, other: Acting, module: str
) -> None:
    ruling = rule(treaty, one, other, module)

    deciding = oracle.deciding(treaty.agreements, spelt_low(one), spelt_low(other), module)
    assert ruling.allowed is oracle.allows(treaty, spelt_low(one), spelt_low(other), module)
    if ruling.agreement is None:
        assert not deciding
    else:
        assert ruling.agreement in deciding
        assert ruling.agreement.allow is ruling.allowed


@given(TREATIES, st.data(), SIDES, SIDES, MODULES)
def test_the_order_in_which_they_are_read_means_nothing(
    treaty: Treaty, data: st.DataObject, one: Acting, other: Acting, module: str
) -> None:
    shuffled = replace(treaty, agreements=tuple(data.draw(st.permutations(treaty.agreements))))

    assert rule(shuffled, one, other, module) == rule(treaty, one, other, module)
    assert shuffled.ready().every == treaty.ready().every


@given(TREATIES)
def test_the_strongest_stands_first_and_none_is_lost(treaty: Treaty) -> None:
    every = treaty.ready().every

    assert set(every) == set(treaty.agreements)
    assert len(every) == len(treaty.agreements)
    for before, after in pairwise(every):
        assert (oracle.names(before), after.allow) >= (oracle.names(after), before.allow)


@given(TREATIES, st.booleans(), SIDES, SIDES, MODULES)
def test_nothing_stands_above_an_agreement_that_names_everything(
    treaty: Treaty, allow: bool, one: Acting, other: Acting, module: str
) -> None:
    exact = Agreement("exact", side(one), side(other), frozenset({module}), allow)
    forbidding = [rival for rival in treaty.agreements if oracle.names(rival) == 7 and not rival.allow]
    forbidden = oracle.deciding(forbidding, spelt_low(one), spelt_low(other), module) != []

    with_it = replace(treaty, agreements=(*treaty.agreements, exact))
    assert rule(with_it, one, other, module).allowed is (allow and not forbidden)


def side(named: Acting) -> Side:
    return Side(party(named[0]).country_code, party(named[0]).party_id, named[1])


@given(TREATIES, SIDES, st.sets(st.sampled_from(Role), min_size=1, max_size=3), SIDES, MODULES)
def test_who_acts_in_several_roles_may_what_any_of_them_may(
    treaty: Treaty, one: Acting, roles: set[Role], other: Acting, module: str
) -> None:
    ruling = treaty.ready().between(party(one[0]), roles, (party(other[0]), other[1]), module)

    assert ruling.allowed is oracle.allows_any(treaty, one[0].lower(), roles, spelt_low(other), module)
    assert ruling in [rule(treaty, (one[0], role), other, module) for role in roles]


@given(TREATIES, SIDES, SIDES)
def test_acquainted_are_those_with_a_module_in_common(treaty: Treaty, one: Acting, other: Acting) -> None:
    here, there = (party(one[0]), one[1]), (party(other[0]), other[1])
    acquainted = treaty.ready().acquainted(here, there)

    assert acquainted is oracle.know_each_other(treaty, spelt_low(one), spelt_low(other))
    assert acquainted is treaty.ready().acquainted(there, here)


@given(st.booleans(), SIDES, SIDES, MODULES)
def test_without_agreements_the_default_holds(default_open: bool, one: Acting, other: Acting, module: str) -> None:
    treaty = Treaty((), default_open)

    assert rule(treaty, one, other, module) == Ruling(default_open, None)
