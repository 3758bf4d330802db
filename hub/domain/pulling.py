"""When the hub pulls, and how a pull goes on (ruling 13, R-088).

Rules
- Crawls begin at slots that lie one interval apart; a stable hash spreads the pulls over the interval. The first crawl
  comes soon after the pull was switched on, and what has become due while the hub was away soon after its start.
- A full crawl reads everything: at least once a day, and for a resync. The others ask for what has changed since the
  last complete crawl began and a day before: what comes late to its owner carries an old time (T-44).
- A broken crawl is tried again after a growing delay, at most the interval. It goes on where it could not read, unless
  its last good page is old; what had other faults begins anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zlib import crc32

from hub.domain.pulls import Pull, PullKey, pull_name
from hub.ocpi import times, urls
from hub.ocpi.party_id import PartyId

PAGE_LIMIT = 100
OVERLAP = timedelta(hours=24)
FULL_EVERY = timedelta(hours=24)
PLACE_KEPT_FOR = timedelta(hours=1)
FIRST_WITHIN_S = 30.0
FIRST_RETRY_S = 60.0
_LEAST_INTERVAL_S = 1.0
_MOST_INTERVAL_S = 400 * 86_400.0
_MOST_DOUBLINGS = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class PullState:
    """How a pull stands; what it needs to go on after a restart.

    `crawl_started_at` is None between crawls; `next_url` is the page a crawl goes on with, `read_at` when the page
    before was stored. `full`: the crawl reads everything, and what it does not meet is gone. `pages`, `objects` (each
    met once, whoever owns it), `foreign` (of other owners) and `unusable` count the crawl under way, or the last one;
    `flaw` is what the first unusable one lacked, `total` the most the platform said there is. `failures` in a row.
    """

    platform_id: str
    owner: PartyId
    module: str
    crawl_started_at: datetime | None = None
    full: bool = True
    next_url: str | None = None
    pages: int = 0
    objects: int = 0
    total: int | None = None
    completed_at: datetime | None = None
    full_completed_at: datetime | None = None
    covers_until: datetime | None = None
    failed_at: datetime | None = None
    problem: str | None = None
    read_at: datetime | None = None
    foreign: int = 0
    unusable: int = 0
    flaw: str | None = None
    failures: int = 0
    resync_at: datetime | None = None

    @property
    def key(self) -> PullKey:
        return self.platform_id, self.owner.key, self.module

    @property
    def hides(self) -> bool:
        """Whether the first crawl has begun and not ended, so that the owner is not shown (ruling 14)."""
        return self.completed_at is None and self.crawl_started_at is not None

    def __str__(self) -> str:
        return pull_name(self.platform_id, self.owner, self.module)

    def untouched(self) -> "PullState":
        """The state of the same pull before its first crawl."""
        return PullState(self.platform_id, self.owner, self.module)


@dataclass(frozen=True, slots=True)
class Broken:
    """Why a crawl ends early. `keeps_place`: it may go on at the page that could not be read."""

    why: str
    keeps_place: bool = False


# --- when ---


def splay(key: PullKey) -> float:
    """Where in its interval a pull has its slot: from 0 to less than 1, always the same."""
    return crc32("\n".join(key).encode(errors="replace")) / 2**32


def slot_after(moment: datetime, interval_s: float, part: float) -> datetime:
    """The first slot later than a moment, at most one interval later."""
    period = max(1, round(_bounded(interval_s) * 1_000_000))
    own = int(period * part)
    number = ((moment - _EPOCH) // _MICROSECOND - own) // period + 1
    return _EPOCH + (number * period + own) * _MICROSECOND


def retry_after_s(failures: int, interval_s: float) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(_bounded(interval_s), FIRST_RETRY_S * 2.0 ** min(max(failures - 1, 0), _MOST_DOUBLINGS))


def due_at(state: PullState, pull: Pull, since: datetime) -> datetime:
    """When the next crawl is due; `since` is when this hub began to look after the pull."""
    if state.resync_at is not None and (state.failed_at is None or state.failed_at < state.resync_at):
        return state.resync_at
    interval_s, part = pull.interval_s, splay(pull.key)
    soon = since + timedelta(seconds=part * min(FIRST_WITHIN_S, _bounded(interval_s)))
    if state.failed_at is not None:
        due = state.failed_at + timedelta(seconds=retry_after_s(state.failures, interval_s))
    elif state.crawl_started_at is not None or state.covers_until is None:
        return soon
    else:
        due = slot_after(state.covers_until, interval_s, part)
    return max(due, soon)


def _bounded(interval_s: float) -> float:
    return min(max(interval_s, _LEAST_INTERVAL_S), _MOST_INTERVAL_S)


# --- how it goes on ---


def begun(state: PullState, pull: Pull, now: datetime, registered: Callable[[str], bool]) -> PullState:
    """The state as a crawl begins: one that goes on, or a new one. `registered` says of a URL whether it is still one
    of the platform's.
    """
    if _goes_on(state, now) and state.next_url is not None and registered(state.next_url):
        return state
    return replace(
        state,
        crawl_started_at=now,
        full=state.resync_at is not None or _full_is_due(state, pull, now),
        next_url=None,
        read_at=None,
        pages=0,
        objects=0,
        total=None,
        foreign=0,
        unusable=0,
        flaw=None,
    )


def _goes_on(state: PullState, now: datetime) -> bool:
    started_at = state.crawl_started_at
    if started_at is None or state.read_at is None or now - state.read_at >= PLACE_KEPT_FOR:
        return False
    return state.resync_at is None or (state.full and state.resync_at <= started_at)


def _full_is_due(state: PullState, pull: Pull, now: datetime) -> bool:
    """Whether the crawl after this one would come too late for a full one."""
    last = state.full_completed_at
    return last is None or now + timedelta(seconds=_bounded(pull.interval_s)) - last > FULL_EVERY


def first_url(state: PullState, endpoint: str) -> str:
    """The URL of a crawl's first page."""
    query = f"limit={PAGE_LIMIT}"
    if not state.full and state.covers_until is not None:
        query += f"&date_from={times.render(state.covers_until - OVERLAP)}"
    return urls.join(endpoint, "", query)


def completed(state: PullState, now: datetime) -> PullState:
    """The state after a crawl that read everything it asked for."""
    started_at = state.crawl_started_at or now
    resynced = state.resync_at is not None and state.full and state.resync_at <= started_at
    return replace(
        state,
        crawl_started_at=None,
        next_url=None,
        read_at=None,
        completed_at=now,
        full_completed_at=now if state.full else state.full_completed_at,
        covers_until=started_at,
        failed_at=None,
        problem=None,
        failures=0,
        resync_at=None if resynced else state.resync_at,
    )


def failed(state: PullState, broken: Broken, now: datetime) -> PullState:
    """The state after a crawl that ended early."""
    return replace(
        state,
        next_url=state.next_url if broken.keeps_place else None,
        read_at=state.read_at if broken.keeps_place else None,
        failed_at=now,
        problem=broken.why,
        failures=state.failures + 1,
    )
