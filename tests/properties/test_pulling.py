"""Laws of pulls: slots, the life of a pull as a machine, and crawls through lists of every shape."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.domain.catalog import ObjectKey, Push
from hub.domain.crawling import Course, Found, Haul, after_page, dead_end, found, judge_pulled, next_url, shortfall
from hub.domain.pulling import (
    OVERLAP,
    PLACE_KEPT_FOR,
    Broken,
    PullState,
    begun,
    completed,
    due_at,
    failed,
    first_url,
    retry_after_s,
    slot_after,
)
from hub.domain.pulls import Pull
from hub.domain.pushes import judge
from hub.ocpi import names, times, urls
from hub.ocpi.party_id import PartyId
from tests.properties.json_texts import ANY_STRINGS, documents

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
OWNER = PartyId("NL", "CPA")
KEY = ObjectKey(names.LOCATIONS, OWNER, "L1")
URL = "https://p1.test/locations?page="
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds carry no zone
INTERVALS = st.floats(1.0, 40 * 86_400.0)


@given(MOMENTS, INTERVALS, st.floats(0, 1, exclude_max=True))
def test_slots_lie_one_interval_apart(moment: datetime, interval_s: float, part: float) -> None:
    interval = timedelta(microseconds=round(interval_s * 1_000_000))
    first = slot_after(moment, interval_s, part)
    assert moment < first <= moment + interval
    assert slot_after(first, interval_s, part) == first + interval
    assert slot_after(first - timedelta(microseconds=1), interval_s, part) == first


class PullMachine(RuleBasedStateMachine):
    """One pull in a hub that runs, fails, restarts and is asked for resyncs at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.pull = Pull("P1", OWNER, names.LOCATIONS, 3600.0)
        self.now = self.since = START
        self.state = PullState("P1", OWNER, names.LOCATIONS)
        self.running = False
        self.last_full: datetime | None = None
        self.last_complete: datetime | None = None
        self.asked: datetime | None = None

    @rule(seconds=st.integers(0, 4 * 3600))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def restart(self) -> None:
        self.running, self.since = False, self.now

    @precondition(lambda self: not self.running)
    @rule()
    def the_next_crawl(self) -> None:
        """Time goes on to when it is due; it is never far away."""
        due = due_at(self.state, self.pull, self.since)
        assert due <= max(self.now, self.since) + timedelta(hours=1)
        self.now = max(self.now, due)
        before = self.state
        self.state = begun(before, self.pull, self.now, lambda _: True)
        self.running = True
        query = first_url(self.state, "https://p1.test/locations").partition("?")[2]
        date_from = urls.query_value(query, "date_from")
        if self.state.next_url is not None:
            assert before.read_at is not None
            assert self.now - before.read_at < PLACE_KEPT_FOR
            assert self.state == before
        else:
            assert (self.state.crawl_started_at, self.state.objects, self.state.flaw) == (self.now, 0, None)
            assert self.state.full or self.asked is None
        if self.last_full is None:
            assert self.state.full
        assert (date_from is None) is self.state.full
        if date_from is not None:
            assert self.last_complete is not None
            since = times.parse(date_from)
            assert since is not None
            assert timedelta(0) <= self.last_complete - OVERLAP - since < timedelta(milliseconds=1)

    @precondition(lambda self: self.running)
    @rule(number=st.integers(1, 5))
    def a_page(self, number: int) -> None:
        haul = Haul(new=number)
        self.state = after_page(self.state, haul, self.now, None, f"{URL}{self.state.pages + 1}")

    @precondition(lambda self: self.running)
    @rule(keeps_place=st.booleans())
    def it_breaks(self, keeps_place: bool) -> None:
        before = self.state
        self.state = failed(before, Broken("why", keeps_place), self.now)
        self.running = False
        assert self.state.next_url == (before.next_url if keeps_place else None)
        unchanged = ("completed_at", "full_completed_at", "covers_until", "resync_at")
        assert all(getattr(self.state, name) == getattr(before, name) for name in unchanged)
        wait = due_at(self.state, self.pull, self.since) - self.now
        assert wait >= timedelta(0)
        if self.since <= self.now - timedelta(seconds=30):
            assert wait == timedelta(seconds=retry_after_s(self.state.failures, 3600.0))

    @precondition(lambda self: self.running)
    @rule()
    def it_completes(self) -> None:
        started_at = self.state.crawl_started_at
        assert started_at is not None
        full = self.state.full
        self.state = completed(self.state, self.now)
        self.running = False
        self.last_complete = started_at
        if full:
            self.last_full = self.now
            if self.asked is not None and self.asked <= started_at:
                self.asked = None

    @rule()
    def resync(self) -> None:
        self.asked = self.now
        self.state = replace(self.state, resync_at=self.now)
        assert due_at(self.state, self.pull, self.since) <= self.now or self.state.failed_at == self.now

    @invariant()
    def what_is_covered(self) -> None:
        assert self.state.covers_until == self.last_complete
        assert self.state.full_completed_at == self.last_full
        assert self.state.hides is (self.last_complete is None and self.state.crawl_started_at is not None)
        assert self.state.resync_at == self.asked
        assert (self.state.problem is None) is (self.state.failures == 0)


TestPullMachine = PullMachine.TestCase


@given(st.lists(st.integers(1, 8), min_size=1, max_size=40))
def test_a_full_crawl_a_day_however_long_crawls_take(hours: list[int]) -> None:
    """With an interval of an hour a day never passes between the end of a full crawl and the beginning of the next,
    but for the time that crawls take.
    """
    pull = Pull("P1", OWNER, names.LOCATIONS, 3600.0)
    state, now, last = PullState("P1", OWNER, names.LOCATIONS), START, START
    for length in hours:
        now = max(now, due_at(state, pull, START))
        state = begun(state, pull, now, lambda _: True)
        if state.full:
            assert now - last <= DAY + timedelta(hours=length)
        else:
            assert now - last < DAY
        now += timedelta(hours=length if state.full else 0)
        state = completed(state, now)
        last = now if state.full_completed_at == now else last


# --- crawls ---

PAGES = st.lists(st.lists(st.integers(0, 30), max_size=6), min_size=1, max_size=8)


def crawl(pages: list[list[int]], links: list[int | None], total: int | None) -> tuple[PullState, Broken | None, int]:
    """A crawl through pages that link to others by number; how it ended, and how many pages it read."""
    state, course, url, reads = PullState("P1", OWNER, names.LOCATIONS), Course(), f"{URL}0", 0
    while True:
        number = int(url.removeprefix(URL))
        course.enter(url)
        reads += 1
        haul = Haul()
        haul.add([Found(one, ObjectKey(names.LOCATIONS, OWNER, str(one))) for one in pages[number]], course)
        link = links[number]
        following = next_url(url, () if link is None else (f'<?page={link}>; rel="next"',), lambda _: True)
        assert not isinstance(following, Broken)
        state = after_page(state, haul, START, total, following)
        if following is None:
            return state, shortfall(state), reads
        broken = dead_end(state, course, haul.new, following)
        if broken is not None:
            return state, broken, reads
        url = following


@given(PAGES, st.data())
def test_every_crawl_ends_and_reads_no_page_twice(pages: list[list[int]], data: st.DataObject) -> None:
    there = st.none() | st.integers(0, len(pages) - 1)
    links = data.draw(st.lists(there, min_size=len(pages), max_size=len(pages)))
    state, broken, reads = crawl(pages, links, None)
    assert reads == state.pages <= len(pages)
    assert (broken is None) is (state.next_url is None)


@given(PAGES, st.integers(0, 5))
def test_a_list_in_order_is_complete_and_a_shorter_one_is_not(pages: list[list[int]], missing: int) -> None:
    different = {one for page in pages for one in page}
    seen: set[int] = set()
    sound = []
    for page in pages:  # every page but the last brings something new
        if set(page) - seen:
            sound.append(page)
        seen |= set(page)
    sound = [*sound, []]
    links = [*range(1, len(sound)), None]
    state, broken, reads = crawl(sound, links, len(different) + missing)
    assert (reads, state.objects) == (len(sound), len(different))
    assert (broken is None) is (missing == 0)


@given(documents(ANY_STRINGS))
def test_whatever_an_object_is_the_crawl_goes_on(raw: bytes) -> None:
    row = found(names.LOCATIONS, OWNER, raw)
    assert row == found(names.LOCATIONS, OWNER, raw)
    assert row.key is None or row.problem is None
    judge_pulled(Push("PUT", KEY, (), raw), None)


def spaced(raw: bytes, space: bytes) -> bytes:
    """The text with more white space wherever there may be some, found by walking from quote to quote."""
    pieces, inside, escaped = [], False, False
    for byte in (raw[at : at + 1] for at in range(len(raw))):
        pieces.append(byte)
        if inside:
            inside, escaped = escaped or byte != b'"', not escaped and byte == b"\\"
        elif byte == b'"':
            inside = True
        elif byte in b",:{[":
            pieces.append(space)
    return b"".join(pieces)


@given(documents(ANY_STRINGS), st.text(" \t\r\n", min_size=1, max_size=3))
def test_white_space_makes_no_difference_to_what_is_held(raw: bytes, space: str) -> None:
    other = spaced(raw, space.encode())
    for held, text in ((raw, other), (other, raw), (raw, raw)):
        verdict = judge_pulled(Push("PUT", KEY, (), text), held)
        assert (verdict.code, verdict.raw, verdict.fan_out) == (1000, None, False)


@given(documents(ANY_STRINGS), documents(ANY_STRINGS))
def test_other_texts_are_judged_as_pushes(held: bytes, text: bytes) -> None:
    push = Push("PUT", KEY, (), text)
    if b"".join(held.split()) != b"".join(text.split()):
        assert judge_pulled(push, held) == judge(push, held)
