"""Snapshots and agreements out of those before: what did not change is neither worked out again nor lost."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import registry as registry_module
from hub.domain.agreements import Agreement, Agreements, Side
from hub.domain.platform import InboundToken, Platform, TokenPurpose
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId
from tests.unit.domain.platforms import NOW, R, S, behind, hosted, party, platform, reserved

EVERYBODY = ["NL/CPA", "NL/EMA", "BE/CPB", "AT/NEW", "ES/CPS"]
ROLES = [Role.CPO, Role.EMSP]


def one_of_many(number: int) -> Platform:
    made = platform(f"P{number}", [hosted(Role.CPO, f"NL/{number:03}")], [("locations", S), ("tokens", R)])
    return replace(made, tokens=(InboundToken(f"f{number}", TokenPurpose.CREDENTIALS, NOW),))


MANY = [one_of_many(number) for number in range(100)]


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of platforms whose part of a snapshot is worked out, from here on."""
    ids: list[str] = []
    real: Callable[[Platform], object] = registry_module._derive

    def counted(platform: Platform) -> object:
        ids.append(platform.id)
        return real(platform)

    monkeypatch.setattr(registry_module, "_derive", counted)
    return ids


def test_a_change_of_one_platform_leaves_the_others_as_they_are_known(worked_out: list[str]) -> None:
    registry = RegistrySnapshot(MANY)
    assert len(worked_out) == 100
    worked_out.clear()

    changed = replace(MANY[7], suspended=True)
    after = registry.replacing(changed)
    assert worked_out == ["P7"]
    assert after.seats_of(party("NL/008"))[0] is registry.seats_of(party("NL/008"))[0]
    assert after.seats_of(party("NL/007"))[0].platform is changed
    assert registry.seats_of(party("NL/007"))[0].platform is MANY[7]
    worked_out.clear()

    after.without("P3").under(Agreements(default_open=False))
    assert worked_out == []
    foreign = replace(MANY[50], name="another")
    read = [*MANY[:7], changed, *MANY[8:50], foreign, *MANY[51:]]
    assert after.reread(read, 5, after.agreements).platform("P50") is foreign
    assert worked_out == ["P50"]


def test_what_was_read_again_and_is_the_same_leaves_the_snapshot_what_it_is() -> None:
    agreements = Agreements([Agreement("a", Side("NL"), Side(), None, allow=False)])
    registry = RegistrySnapshot(MANY, 3, agreements)

    assert registry.reread(list(MANY), 4, agreements) is registry
    assert registry.generation == 4
    equal = replace(MANY[0])
    for read in ([*MANY[1:]], [*MANY, platform("P100")], [equal, *MANY[1:]], [*reversed(MANY)]):
        after = registry.reread(read, 5, agreements)
        assert after.platforms == tuple(read)
        assert (after.generation, registry.generation) == (5, 4)
    other = Agreements(default_open=False)
    assert registry.reread(MANY, 5, other).agreements is other
    assert registry.agreements is agreements


# Platforms that collide in every way: parties, triples, tokens, reservations, reports.
ROWS = st.builds(
    lambda name, roles, endpoints, approved, registered, reported, token: replace(
        platform(
            name,
            roles,
            endpoints if registered else None,
            approved=approved,
            was_registered=registered,
            reported=reported,
        ),
        tokens=(InboundToken(token, TokenPurpose.CREDENTIALS, NOW),),
    ),
    st.sampled_from(["P1", "P2", "P3", "P4"]),
    st.lists(st.builds(hosted, st.sampled_from([*ROLES, Role.HUB]), st.sampled_from(EVERYBODY)), max_size=3),
    st.lists(st.tuples(st.sampled_from(["locations", "tokens"]), st.sampled_from([S, R])), max_size=2),
    st.lists(st.builds(reserved, st.sampled_from(ROLES), st.sampled_from(EVERYBODY)), max_size=2),
    st.booleans(),
    st.lists(st.builds(behind, st.sampled_from(ROLES), st.sampled_from(EVERYBODY)), max_size=2),
    st.sampled_from(["f1", "f2", "f3"]),
)


def looked_up(registry: RegistrySnapshot) -> list[object]:
    parties = [party(text) for text in EVERYBODY]
    return [
        registry.platforms,
        registry.seats,
        registry.remote_seats,
        [registry.seats_of(one) for one in parties],
        [registry.remote_seats_of(one) for one in parties],
        [registry.is_planned(one) for one in parties],
        [registry.holder_of(f"{role.value}*{one.key}") for role in ROLES for one in parties],
        [registry.by_fingerprint(text) for text in ("f1", "f2", "f3")],
        [registry.is_offered(module, side) for module in ("locations", "tokens") for side in (S, R)],
        [registry.advertises(one) for one in registry.platforms],
        [registry.owns_url(one, f"https://p{number}.test/") for one in registry.platforms for number in range(1, 5)],
    ]


@given(st.lists(st.one_of(ROWS, st.sampled_from(["P1", "P2", "P3"])), max_size=8))
def test_after_any_changes_it_says_what_one_made_at_once_would(changes: list[Platform | str]) -> None:
    registry, there = RegistrySnapshot(), dict[str, Platform]()
    for change in changes:
        if isinstance(change, str):
            registry = registry.without(change)
            there.pop(change, None)
        else:
            registry = registry.replacing(change)
            there[change.id] = change
        looked_up(registry)  # what it remembers of looking must not outlive it

    assert looked_up(registry) == looked_up(RegistrySnapshot(there.values()))
    assert looked_up(RegistrySnapshot(MANY).reread(there.values(), 1, Agreements())) == looked_up(registry)


def test_of_two_that_hold_one_triple_the_first_counts() -> None:
    one, two = (platform(name, [hosted(Role.CPO, "NL/CPA")]) for name in ("P1", "P2"))
    registry = RegistrySnapshot([one, two])

    assert registry.holder_of("CPO*nl*cpa") == "P1"
    assert registry.replacing(one).holder_of("CPO*nl*cpa") == "P1"
    assert registry.without("P1").holder_of("CPO*nl*cpa") == "P2"


NUMBERS = range(300)


def pair(number: int, *, allow: bool = True, module: str | None = None) -> Agreement:
    """Some share both sides, some one of them."""
    sides = Side("NL", f"{number % 100:03}"), Side("NL", f"{number % 50:03}", ROLES[number % 2])
    return Agreement(f"a{number}", *sides, frozenset({module}) if module else None, allow)


AGREED = Agreements([pair(number) for number in NUMBERS], default_open=False)
PAIRS = [
    ((PartyId("NL", f"{number % 100:03}"), Role.CPO), (PartyId("nl", f"{number % 50:03}"), role))
    for number in range(0, 115, 3)
    for role in ROLES
]


@given(
    st.lists(
        st.builds(pair, st.integers(0, 310), allow=st.booleans(), module=st.sampled_from([None, "x-own"])),
        max_size=20,
        unique_by=lambda one: one.id,
    ),
    st.lists(st.integers(0, 310).map(lambda number: f"a{number}"), max_size=20),
)
def test_changed_agreements_rule_as_if_they_were_all_new(put: list[Agreement], gone: list[str]) -> None:
    before = [AGREED.ruling(*sides, "tokens") for sides in PAIRS]
    expected = {one.id: one for one in AGREED.every if one.id not in gone} | {one.id: one for one in put}
    fresh, changed = Agreements(expected.values(), default_open=False), AGREED.changed(put, gone)

    for agreements in (changed, AGREED.reread(list(expected.values()))):
        assert agreements.every == fresh.every
        assert not agreements.default_open
        for module in ("tokens", "x-own"):
            assert [agreements.ruling(*sides, module) for sides in PAIRS] == [
                fresh.ruling(*sides, module) for sides in PAIRS
            ]
        assert [agreements.acquainted(*sides) for sides in PAIRS] == [fresh.acquainted(*sides) for sides in PAIRS]
    assert [AGREED.ruling(*sides, "tokens") for sides in PAIRS] == before
    assert len(AGREED.every) == len(NUMBERS)


def test_agreements_that_did_not_change_stay_what_they_are() -> None:
    again = [replace(agreement) for agreement in AGREED.every]

    assert AGREED.reread(again) is AGREED
    assert AGREED.changed(gone=["unknown"]) is AGREED
    assert AGREED.changed() is AGREED
    assert AGREED.reread(again[1:]).every == AGREED.every[1:]
