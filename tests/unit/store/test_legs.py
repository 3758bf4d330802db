"""How far the legs of a broadcast are, and lists of legs, without a store."""

from hypothesis import given
from hypothesis import strategies as st

from hub.store import legs
from hub.store.legs import Audiences
from hub.store.records import LegClaim, PartyOn

LIST = tuple(PartyOn(f"platform-{number}", "NL", f"{number:03d}") for number in range(50))

_claims = st.builds(LegClaim, st.just(1), st.integers(-1, 4), st.integers(-1, 4))
_steps = st.lists(st.lists(_claims, max_size=4) | st.lists(st.integers(-1, 4), max_size=3), max_size=12)


@given(steps=_steps)
def test_any_course_of_claims_and_settlements_follows_the_rules(steps: list[list[LegClaim | int]]) -> None:
    progress = bytearray(legs.fresh(4))
    begun: dict[int, int] = {}
    settled: set[int] = set()
    for step in steps:
        claims = [one for one in step if isinstance(one, LegClaim)]
        done = [one for one in step if isinstance(one, int)]
        for claim in legs.begin(progress, claims):
            assert claim in claims
            assert claim.leg not in settled
            assert claim.attempt == begun.get(claim.leg, 0) + 1 <= 2
            begun[claim.leg] = claim.attempt
        changes = {leg for leg in done if 0 <= leg < 4} - settled
        assert legs.settle(progress, done) == bool(changes)
        settled |= changes
    expected = tuple(None if leg in settled else begun.get(leg, 0) for leg in range(4))
    assert legs.attempts(bytes(progress)) == expected
    assert legs.is_done(progress) == (len(settled) == 4)


def test_a_claim_that_may_begin_does() -> None:
    progress = bytearray(legs.fresh(3))
    wanted = [LegClaim(1, 0, 1), LegClaim(1, 2, 1), LegClaim(1, 2, 2)]
    assert legs.begin(progress, wanted) == wanted
    assert legs.attempts(bytes(progress)) == (1, 0, 2)


def test_equal_lists_are_kept_as_one_and_read_back() -> None:
    audiences = Audiences()
    kept = audiences.of(LIST)
    assert audiences.of(LIST) is kept
    assert audiences.of(tuple(PartyOn(one.platform_id, one.country_code, one.party_id) for one in LIST)) == kept
    assert audiences.of(LIST[:-1]).digest != kept.digest
    assert audiences.remembered(kept.digest) is None
    assert audiences.read(kept.digest, kept.text) == LIST
    assert audiences.remembered(kept.digest) == LIST


def test_only_the_latest_lists_are_remembered() -> None:
    audiences = Audiences()
    # Lists that are gone may leave their place in memory to others: each is kept under what it says.
    for number in range(1_000):
        legs_of_one = (PartyOn(f"platform-{number}", "NL", "ABC"),)
        kept = audiences.of(legs_of_one)
        assert audiences.read(kept.digest, kept.text) == legs_of_one
    first = audiences.of((PartyOn("platform-0", "NL", "ABC"),))
    assert audiences.remembered(first.digest) is None
