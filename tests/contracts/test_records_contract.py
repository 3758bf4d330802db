"""What every store promises about agreements, what open routing knows, and how pulls stand."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.agreements import Agreement, Side
from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId
from hub.store.ports import Store
from hub.store.records import Known, PullState
from tests.contracts.catalog_samples import NGC, SUN, TNM, later
from tests.contracts.conftest import Place
from tests.contracts.samples import NOW, anything, new_id

AGREEMENT = Agreement(
    "one", Side("NL", "NGC", Role.CPO), Side("DE", None, Role.EMSP), frozenset({"locations", "x-custom"}), allow=True
)
PULL = PullState("p1", NGC, "locations", crawl_started_at=NOW)

any_agreement: st.SearchStrategy[Agreement] = anything(Agreement)
any_pull: st.SearchStrategy[PullState] = anything(PullState)


# --- agreements


async def test_agreements_are_kept_by_id(store: Store) -> None:
    assert await store.agreements.load_all() == []
    assert await store.agreements.put(replace(AGREEMENT, id="two", modules=None)) is True
    assert await store.agreements.put(AGREEMENT) is True
    assert await store.agreements.put(replace(AGREEMENT, allow=False)) is False
    assert await store.agreements.load_all() == [
        replace(AGREEMENT, allow=False),
        replace(AGREEMENT, id="two", modules=None),
    ]
    assert await store.agreements.remove("one") is True
    assert await store.agreements.remove("one") is False
    assert [one.id for one in await store.agreements.load_all()] == ["two"]


async def test_every_change_of_agreements_moves_their_generation(place: Place, store: Store) -> None:
    seen = [await store.agreements.generation()]
    await store.agreements.put(AGREEMENT)
    seen.append(await store.agreements.generation())
    await store.agreements.put(replace(AGREEMENT, allow=False))
    seen.append(await store.agreements.generation())
    assert len(set(seen)) == 3
    assert await store.agreements.remove("none") is False
    assert await store.agreements.generation() == seen[-1]
    await store.agreements.remove("one")
    assert await store.agreements.generation() != seen[-1]
    # Agreements and platforms are read apart.
    assert await store.platforms.generation() == await store.platforms.generation()


@settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(agreement=any_agreement)
async def test_any_agreement_comes_back(store: Store, agreement: Agreement) -> None:
    agreement = replace(agreement, id=new_id())
    await store.agreements.put(agreement)
    assert agreement in await store.agreements.load_all()


# --- what open routing knows


def known(party: PartyId, key: str = "S1", kind: str = "session", *, only: bool = False) -> Known:
    return Known(kind, key, party, only)


async def test_a_key_leads_to_whom_it_was_learnt_of_in_order(store: Store) -> None:
    assert await store.known.find("session", "S1") == []
    await store.known.learn([], NOW)
    await store.known.learn([known(SUN), known(NGC), known(TNM, "s1"), known(TNM, kind="cdr")], NOW)
    await store.known.learn([known(TNM), known(PartyId("de", "sun"))], later(1))
    found = await store.known.find("session", "S1")
    assert found == [SUN, NGC, TNM]
    assert str(found[0]) == "DE/SUN"
    assert await store.known.find("session", "s1") == [TNM]
    assert await store.known.find("cdr", "S1") == [TNM]
    assert await store.known.find("cdr", "s1") == []


async def test_only_replaces_what_was_known_under_the_key(store: Store) -> None:
    await store.known.learn([known(SUN), known(NGC), known(SUN, "S2"), known(SUN, kind="cdr")], NOW)
    await store.known.learn([known(NGC, only=True)], NOW)
    assert await store.known.find("session", "S1") == [NGC]
    await store.known.learn([known(SUN), known(TNM, only=True), known(NGC)], NOW)
    assert await store.known.find("session", "S1") == [TNM, NGC]
    assert await store.known.find("session", "S2") == [SUN]
    assert await store.known.find("cdr", "S1") == [SUN]


async def test_a_key_leads_to_twenty_at_most(store: Store) -> None:
    parties = [PartyId("NL", f"{number:03d}") for number in range(25)]
    await store.known.learn([known(party) for party in reversed(parties)], NOW)
    assert await store.known.find("session", "S1") == parties[:4:-1]


async def test_nothing_leads_to_a_party_that_is_forgotten(store: Store) -> None:
    await store.known.learn([known(NGC), known(SUN), known(NGC, "S2"), known(NGC, kind="cdr")], NOW)
    assert await store.known.forget(NGC) == 3
    assert await store.known.find("session", "S1") == [SUN]
    assert await store.known.find("session", "S2") == []
    assert await store.known.forget(NGC) == 0


async def test_what_was_not_learnt_again_is_pruned(store: Store) -> None:
    await store.known.learn([known(NGC, f"S{number}") for number in range(300)], NOW)
    await store.known.learn([known(NGC, "S7")], later(10))
    assert await store.known.prune(NOW) == 0
    assert await store.known.prune(later(10)) == 299
    assert await store.known.find("session", "S7") == [NGC]
    assert await store.known.find("session", "S8") == []


async def test_a_long_list_is_learnt_and_there_after_opening_again(place: Place, store: Store) -> None:
    await store.known.learn([known(NGC, f"S{number}", only=bool(number % 2)) for number in range(1_100)], NOW)
    await store.close()
    again = place()
    await again.open()
    await again.known.learn([known(SUN, "S1098")], NOW)
    assert await again.known.find("session", "S1098") == [NGC, SUN]
    assert await again.known.find("session", "S1099") == [NGC]
    await again.close()


async def test_keys_of_any_text_are_apart(store: Store) -> None:
    texts = ['a"b', "a\nb", "a,b", "", "ß", "ss", "\U0001f50c", "a\\b", "\x00"]
    await store.known.learn([known(PartyId("NL", f"{place}"), text) for place, text in enumerate(texts)], NOW)
    for place, text in enumerate(texts):
        assert await store.known.find("session", text) == [PartyId("NL", f"{place}")]


# --- pulls


async def test_pulls_stand_by_platform_owner_and_module(store: Store) -> None:
    assert await store.pulls.load_all() == []
    second = replace(PULL, module="tariffs", problem="garbage", failed_at=later(1))
    third = replace(PULL, owner=SUN, full=False, next_url="https://cpo.example/l?offset=50", pages=1, objects=50)
    other = replace(PULL, platform_id="p0", total=7, completed_at=NOW + timedelta(microseconds=1))
    for state in (second, PULL, other, third):
        await store.pulls.save(state)
    assert await store.pulls.load_all() == [other, third, PULL, second]

    moved = replace(PULL, owner=PartyId("nl", "ngc"), crawl_started_at=None, covers_until=NOW)
    await store.pulls.save(moved)
    assert await store.pulls.load_all() == [other, third, moved, second]
    assert await store.pulls.remove_of("p1") == 3
    assert await store.pulls.remove_of("p1") == 0
    assert await store.pulls.load_all() == [other]


@settings(max_examples=15, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(state=any_pull)
async def test_any_pull_comes_back(store: Store, state: PullState) -> None:
    state = replace(state, platform_id=new_id())
    await store.pulls.save(state)
    assert state in await store.pulls.load_all()
