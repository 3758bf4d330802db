"""Acquaintance says what the agreements say, and which parties a change of agreements can concern."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.acquaintance import Acquaintance
from hub.ocpi.names import Role
from tests.properties.agreement_oracle import Acting, Treaty
from tests.properties.routing_worlds import ROLES, treaties
from tests.unit.domain.platforms import party

TREATIES = treaties(most=8)
SIDES = st.tuples(st.sampled_from(["NL/ABC", "nl/abc", "NL/DEF", "De/abc", "ES/CPS", "XX/ZZZ"]), ROLES)


def know(acquaintance: Acquaintance, one: Acting, other: Acting) -> bool:
    return acquaintance.between(acquaintance.kind(party(one[0]), one[1]), acquaintance.kind(party(other[0]), other[1]))


@given(TREATIES, st.lists(st.tuples(SIDES, SIDES), min_size=1, max_size=12))
def test_it_says_what_agreements_say_however_often_it_is_asked(
    treaty: Treaty, pairs: list[tuple[Acting, Acting]]
) -> None:
    agreements = treaty.ready()
    acquaintance = Acquaintance(agreements)

    for one, other in (*pairs, *pairs):
        plain = agreements.acquainted((party(one[0]), one[1]), (party(other[0]), other[1]))
        assert know(acquaintance, one, other) is plain
        assert know(acquaintance, other, one) is plain


@given(TREATIES, st.data(), SIDES, SIDES)
def test_only_those_a_change_is_about_can_see_otherwise(
    treaty: Treaty, data: st.DataObject, one: Acting, other: Acting
) -> None:
    kept = data.draw(st.lists(st.sampled_from(treaty.agreements))) if treaty.agreements else []
    added = data.draw(treaties(most=2)).agreements
    fewer = replace(treaty, agreements=tuple(dict.fromkeys((*kept, *added))))
    before, now = Acquaintance(treaty.ready()), Acquaintance(fewer.ready())

    touching = before.differing(now)
    concerned = [touching.kind(party(text), role) for text, role in (one, other)]
    if know(before, one, other) is not know(now, one, other):
        assert all(concerned)


@given(TREATIES, st.data())
def test_agreements_that_were_read_again_are_the_same(treaty: Treaty, data: st.DataObject) -> None:
    acquaintance = Acquaintance(treaty.ready())
    again = replace(treaty, agreements=tuple(data.draw(st.permutations(treaty.agreements)))).ready()

    assert acquaintance.under(again) is acquaintance
    other = replace(treaty, default_open=not treaty.default_open).ready()
    assert acquaintance.under(other) is not acquaintance
    assert acquaintance.under(other).agreements is other


def test_parties_are_of_one_kind_when_no_agreement_tells_them_apart() -> None:
    acquaintance = Acquaintance(Treaty().ready())

    assert acquaintance.kind(party("NL/ABC"), Role.CPO) == acquaintance.kind(party("DE/XYZ"), Role.EMSP) == ()
