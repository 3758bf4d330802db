"""What the pages and objects of a crawl mean (R-037 to R-044, R-098, ruling 13).

Rules
- Links are followed to the platform's registered hosts alone, never to a URL for the second time, and not from a page
  that has nothing new.
- A list that has fewer objects than the platform counts was cut short.
- Objects of other owners are ignored. One that cannot be used spoils the crawl, but not the other objects.
- An object that says what is held already changes nothing, also when there is other white space in it.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from hub.domain.catalog import ObjectKey, Push, Verdict
from hub.domain.pulling import Broken, PullState
from hub.domain.push_paths import path_of
from hub.domain.pushes import judge
from hub.ocpi import names, paging, splice, urls
from hub.ocpi.party_id import PartyId, party
from hub.ocpi.status import StatusCode

MOST_PAGES = 20_000
MOST_OBJECTS = 2_000_000
_MOST_ID = 255
_WHITE_SPACE = re.compile(rb'("(?:[^"\\]++|\\.)*+")|[ \t\r\n]+', re.DOTALL)


class Found(NamedTuple):
    """An object in a page. `mark` is equal for the same object in any spelling. Without a `key` it is not taken:
    `problem` says why it cannot be used, or is None when it is somebody else's.
    """

    mark: int
    key: ObjectKey | None = None
    problem: str | None = None


def found(module: str, owner: PartyId, raw: bytes) -> Found:
    """Which object a text is; the owner is read from the object itself (R-098)."""
    try:
        members = splice.members(raw)
    except splice.Unreadable as unreadable:
        return Found(hash(raw), problem=f"an object {unreadable}")
    id_member = "uid" if module == names.TOKENS else "id"
    texts = {name: splice.text(members.get(name)) for name in ("country_code", "party_id", id_member)}
    missing = next((name for name, text in texts.items() if not text), None)
    if missing is not None:
        return Found(hash(raw), problem=f"an object has no {missing}")
    country_code, party_id, object_id = (text or "" for text in texts.values())
    kind = (splice.text(members.get("type")) or "").upper() if module == names.TOKENS else ""
    theirs = party(country_code, party_id)
    mark = hash((theirs.key, object_id.casefold(), kind.casefold()))
    if theirs != owner:
        return Found(mark)
    key = ObjectKey(module, owner, object_id, kind)
    if len(object_id) > _MOST_ID or not object_id.isprintable() or urls.climbs(path_of(key)[0]):
        return Found(mark, problem=f"an object has an {id_member} that cannot stand in a URL")
    return Found(mark, key)


class Course:
    """Where a crawl has been and what it has met, since this hub took it up."""

    def __init__(self) -> None:
        self._urls: set[str] = set()
        self._marks: set[int] = set()

    def enter(self, url: str) -> None:
        """The page at this URL is read next."""
        self._urls.add(url)

    def has_been_at(self, url: str) -> bool:
        return url in self._urls

    def meet(self, marks: Iterable[int]) -> int:
        """How many of these objects are new to the crawl."""
        before = len(self._marks)
        self._marks.update(marks)
        return len(self._marks) - before


def next_url(url: str, links: Sequence[str], registered: Callable[[str], bool]) -> str | Broken | None:
    """Where the `Link` of a page leads; None on the last one. `registered`: whether a URL is at a registered host."""
    reference = paging.next_link(links)
    if reference is None:
        return Broken("the Link to the next page cannot be read") if paging.mentions_next(links) else None
    following = urls.resolve(url, reference)
    if not urls.printable(following) or not registered(following):
        return Broken("the Link to the next page leads away from the platform's registered hosts")
    return following


@dataclass(slots=True)
class Haul:
    """What a page brought: objects that are new to the crawl, of other owners, and unusable, with the first reason."""

    new: int = 0
    foreign: int = 0
    unusable: int = 0
    flaw: str | None = None

    def add(self, rows: Sequence[Found], course: Course) -> None:
        """Counts some of its objects."""
        self.new += course.meet(row.mark for row in rows)
        for row in rows:
            if row.problem is not None:
                self.spoil(row.problem)
            elif row.key is None:
                self.foreign += 1

    def spoil(self, why: str) -> None:
        """One of its objects cannot be used."""
        self.unusable += 1
        self.flaw = self.flaw or why


def after_page(state: PullState, haul: Haul, now: datetime, total: int | None, following: str | None) -> PullState:
    """The state once a page is stored; `total` is what it says there is, `following` the next page's URL."""
    return replace(
        state,
        next_url=following,
        read_at=now,
        pages=state.pages + 1,
        objects=state.objects + haul.new,
        total=state.total if total is None else max(total, state.total or 0),
        foreign=state.foreign + haul.foreign,
        unusable=state.unusable + haul.unusable,
        flaw=state.flaw or haul.flaw,
    )


def dead_end(state: PullState, course: Course, new: int, following: str) -> Broken | None:
    """Why the crawl does not follow the Link of the page it has just stored, if it does not."""
    if course.has_been_at(following):
        return Broken("the Links of the list lead in a circle")
    if not new:
        return Broken("a page has nothing new and links to yet another one")
    if state.pages >= MOST_PAGES or state.objects >= MOST_OBJECTS:
        return Broken(f"the list has no end after {state.pages} pages with {state.objects} objects")
    return None


def shortfall(state: PullState) -> Broken | None:
    """What is wrong with a list that was read to its last page, if anything is."""
    if state.unusable:
        return Broken(f"{state.unusable} objects cannot be used, the first because {state.flaw}")
    if state.total is not None and state.objects < state.total:
        return Broken(f"the list ends after {state.objects} of {state.total} objects")
    return None


def judge_pulled(push: Push, held: bytes | None) -> Verdict:
    """What becomes of a whole object out of a list while this text (None: nothing) is held."""
    if held is not None and _says_the_same(held, push.body or b""):
        return Verdict(200, StatusCode.OK)
    return judge(push, held)


def judge_absent(key: ObjectKey, seen: bytes, held: bytes | None) -> Verdict:
    """What becomes of an object that a complete crawl did not meet. It stays if its text has changed since it was found
    missing. Tariffs alone are deleted at receivers (R-103).
    """
    if held != seen:
        return Verdict(200, StatusCode.OK)
    return Verdict(200, StatusCode.OK, removed=True, fan_out=key.module == names.TARIFFS)


def _says_the_same(held: bytes, text: bytes) -> bool:
    """A patched object is held without white space between its members, so texts may differ that say the same."""
    return held == text or _WHITE_SPACE.sub(rb"\1", held) == _WHITE_SPACE.sub(rb"\1", text)
