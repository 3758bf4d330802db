"""When the hub pulls, and how a pull goes on."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from hub.domain.pulling import (
    Broken,
    PullState,
    begun,
    completed,
    due_at,
    failed,
    first_url,
    retry_after_s,
    slot_after,
    splay,
)
from hub.domain.pulls import Pull
from hub.ocpi import names
from tests.unit.domain.platforms import NOW, party

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
NEXT = "https://p1.test/sender/locations?offset=100"
UNREADABLE = Broken("no answer in time", keeps_place=True)


def pulled(interval_s: float = 900.0, owner: str = "NL/CPA") -> Pull:
    return Pull("P1", party(owner), names.LOCATIONS, interval_s)


def untouched() -> PullState:
    return PullState("P1", party("NL/CPA"), names.LOCATIONS)


def at(moment: datetime, *, full: bool = True, state: PullState | None = None) -> PullState:
    """Complete, by a crawl that took no time."""
    return completed(replace(state or untouched(), crawl_started_at=moment, full=full), moment)


def begin(state: PullState, now: datetime, interval_s: float = 900.0, *, registered: bool = True) -> PullState:
    return begun(state, pulled(interval_s), now, lambda _: registered)


def midway(now: datetime = NOW, *, full: bool = True) -> PullState:
    """A crawl that has stored a page."""
    return replace(
        untouched(), crawl_started_at=now, full=full, next_url=NEXT, read_at=now, pages=1, objects=100, total=150
    )


# --- when ---


def test_the_first_crawl_comes_soon() -> None:
    due = due_at(untouched(), pulled(), NOW)
    assert NOW <= due < NOW + timedelta(seconds=30)
    assert due_at(untouched(), pulled(2.0), NOW) < NOW + timedelta(seconds=2)


def test_first_crawls_do_not_begin_together() -> None:
    owners = [f"NL/{first}{second}A" for first in "ABCDEFGH" for second in "ABCDEFGH"]
    dues = sorted(due_at(untouched(), pulled(owner=owner), NOW) for owner in owners)
    assert dues[0] < NOW + timedelta(seconds=3)
    assert dues[-1] > NOW + timedelta(seconds=27)
    assert max(later - earlier for earlier, later in pairwise(dues)) < timedelta(seconds=5)


def test_splay_depends_on_nothing_but_the_pull() -> None:
    assert splay(("P1", "nl*cpa", "locations")) == pytest.approx(0.79453, abs=0.00001)


def test_crawls_keep_to_their_slots() -> None:
    part = splay(pulled().key)
    first = due_at(at(NOW), pulled(), NOW)
    assert NOW < first <= NOW + timedelta(seconds=900)
    # However late a crawl began or how long it took, the next one is at the next slot.
    late = first + timedelta(seconds=899)
    second = due_at(completed(replace(at(NOW), crawl_started_at=late), late + HOUR), pulled(), NOW)
    assert second == first + timedelta(seconds=900) == slot_after(first, 900.0, part)


def test_what_was_due_while_the_hub_was_away_waits_a_moment() -> None:
    start = NOW + 10 * HOUR
    assert start <= due_at(at(NOW), pulled(), start) < start + timedelta(seconds=30)
    assert start <= due_at(midway(), pulled(), start) < start + timedelta(seconds=30)
    broken = failed(midway(), UNREADABLE, NOW)
    assert start <= due_at(broken, pulled(), start) < start + timedelta(seconds=30)


def test_a_broken_crawl_is_tried_again_ever_later() -> None:
    state, waits = begin(untouched(), NOW), []
    for _ in range(7):
        state = failed(state, UNREADABLE, NOW + HOUR)
        waits.append((due_at(state, pulled(), NOW) - NOW - HOUR).total_seconds())
    assert waits == [60.0, 120.0, 240.0, 480.0, 900.0, 900.0, 900.0]
    assert retry_after_s(10_000, 1e12) == 400 * 86_400
    assert retry_after_s(1, 5.0) == 5.0
    state = completed(begin(state, NOW + HOUR), NOW + HOUR)
    assert (state.failures, state.failed_at, state.problem) == (0, None, None)


@pytest.mark.parametrize("interval_s", [0.0, -5.0, 1e-9, 1e30])
def test_absurd_intervals_do_no_harm(interval_s: float) -> None:
    assert NOW < due_at(at(NOW), pulled(interval_s), NOW) <= NOW + timedelta(days=400)
    begin(at(NOW), NOW, interval_s)


# --- full or not ---


def test_a_full_crawl_a_day() -> None:
    """With an interval of an hour: one full crawl, then 22 that ask for changes, then a full one."""
    state, now, kinds = untouched(), NOW, []
    for _ in range(50):
        state = completed(begin(state, now, 3600.0), now)
        kinds.append(state.full)
        now += HOUR
    assert [number for number, full in enumerate(kinds) if full] == [0, 24, 48]


def test_a_long_interval_means_full_crawls_alone() -> None:
    state = at(NOW)
    assert begin(state, NOW + 13 * HOUR, 13 * 3600.0).full
    assert not begin(state, NOW + 12 * HOUR, 12 * 3600.0).full


def test_what_has_changed_since_the_last_complete_crawl_began_and_a_day_before() -> None:
    endpoint = "https://p1.test/sender/locations?key=1"
    full = begin(untouched(), NOW)
    assert first_url(full, endpoint) == f"{endpoint}&limit=100"
    state = completed(full, NOW + HOUR)
    delta = begin(state, NOW + 2 * HOUR)
    assert first_url(delta, endpoint) == f"{endpoint}&limit=100&date_from=2025-12-31T00:00:00.000Z"
    # A broken one in between moves nothing, a complete one does.
    again = begin(failed(delta, Broken("truncated"), NOW + 2 * HOUR), NOW + 3 * HOUR)
    assert first_url(again, endpoint).endswith("date_from=2025-12-31T00:00:00.000Z")
    assert first_url(begin(completed(again, NOW + 4 * HOUR), NOW + 5 * HOUR), endpoint).endswith("T03:00:00.000Z")


# --- going on ---


def test_an_interrupted_crawl_goes_on_where_it_was() -> None:
    state = midway()
    assert begin(state, NOW + timedelta(minutes=59)) == state
    broken = failed(state, UNREADABLE, NOW)
    assert begin(broken, NOW + timedelta(minutes=59)) == broken
    assert (broken.next_url, broken.failures, broken.problem) == (NEXT, 1, "no answer in time")


@pytest.mark.parametrize(
    "state",
    [midway(NOW - HOUR), failed(midway(), Broken("the Links lead in a circle"), NOW), begin(untouched(), NOW), at(NOW)],
    ids=["old", "broken otherwise", "first page", "complete"],
)
def test_any_other_begins_anew(state: PullState) -> None:
    now = NOW + 5 * SECOND
    begun = begin(state, now)
    assert (begun.crawl_started_at, begun.next_url, begun.read_at) == (now, None, None)
    assert (begun.pages, begun.objects, begun.total, begun.unusable, begun.flaw) == (0, 0, None, 0, None)


def test_a_place_that_is_no_longer_the_platforms_is_given_up() -> None:
    assert begin(midway(), NOW, registered=False).next_url is None


def test_the_first_crawl_hides_until_one_is_complete() -> None:
    assert not untouched().hides
    first = begin(untouched(), NOW)
    assert first.hides
    assert failed(first, UNREADABLE, NOW).hides
    done = completed(first, NOW)
    assert not done.hides
    assert not begin(done, NOW + HOUR).hides


# --- resync ---


def test_a_resync_is_due_at_once_and_full() -> None:
    asked = replace(at(NOW), resync_at=NOW + HOUR)
    assert due_at(asked, pulled(), NOW) == NOW + HOUR
    started = begin(asked, NOW + HOUR)
    assert started.full
    assert completed(started, NOW + 2 * HOUR).resync_at is None


def test_a_resync_does_not_go_on_with_what_began_before() -> None:
    asked = replace(midway(), resync_at=NOW + SECOND)
    assert begin(asked, NOW + 2 * SECOND).next_url is None
    own = replace(midway(), resync_at=NOW)
    assert begin(own, NOW + 2 * SECOND) == own
    assert begin(replace(midway(full=False), resync_at=NOW), NOW + 2 * SECOND).next_url is None


def test_a_resync_asked_for_during_a_crawl_follows_it() -> None:
    running = replace(begin(untouched(), NOW), resync_at=NOW + SECOND)
    ended = completed(running, NOW + HOUR)
    assert ended.resync_at == NOW + SECOND
    assert due_at(ended, pulled(), NOW) == NOW + SECOND


def test_a_resync_that_breaks_is_tried_again_as_any_other_and_stays_full() -> None:
    state = begin(replace(at(NOW), resync_at=NOW + HOUR), NOW + HOUR)
    state = failed(state, Broken("truncated"), NOW + HOUR)
    assert due_at(state, pulled(), NOW) == NOW + HOUR + timedelta(seconds=60)
    assert begin(state, NOW + 2 * HOUR).full
    assert due_at(replace(state, resync_at=NOW + 3 * HOUR), pulled(), NOW) == NOW + 3 * HOUR
