"""What the pages and objects of a crawl mean."""

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.catalog import ObjectKey, Push
from hub.domain.crawling import (
    MOST_OBJECTS,
    MOST_PAGES,
    Course,
    Haul,
    after_page,
    dead_end,
    found,
    judge_absent,
    judge_pulled,
    next_url,
    shortfall,
)
from hub.domain.pulling import Broken, PullState
from hub.ocpi import codec, names
from hub.ocpi.status import StatusCode
from hub.sandbox import objects
from tests.unit.domain.platforms import NOW, party

OWNER = party("NL/CPA")
URL = "https://p1.test/sender/locations?limit=100"
KEY = ObjectKey(names.LOCATIONS, OWNER, "L1")


def location(**changes: object) -> bytes:
    return codec.dumps(objects.location("NL/CPA", "L1") | changes)


def state(**changes: Any) -> PullState:
    return replace(PullState("P1", OWNER, names.LOCATIONS), **changes)


# --- objects ---


def test_an_object_says_whose_it_is() -> None:
    mine = found(names.LOCATIONS, OWNER, location())
    assert mine.key is not None
    assert (mine.key.text, mine.problem) == (KEY.text, None)
    again = found(names.LOCATIONS, OWNER, location(id="l1", country_code="nl", party_id="cpa"))
    assert again.mark == mine.mark
    assert again.key is not None
    assert again.key.object_id == "l1"
    theirs = found(names.LOCATIONS, OWNER, location(party_id="CPX"))
    assert (theirs.key, theirs.problem) == (None, None)
    assert theirs.mark != mine.mark


def test_a_token_is_told_apart_by_its_type() -> None:
    owner = party("NL/EMA")
    rfid, app = (
        found(names.TOKENS, owner, codec.dumps(objects.token(owner, "A1", kind=kind))) for kind in ("rfid", "APP_USER")
    )
    assert rfid.key is not None
    assert app.key is not None
    assert (rfid.key.kind, app.key.kind) == ("RFID", "APP_USER")
    assert rfid.mark != app.mark


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"5", "an object is of the wrong kind: expected `object`, got `int`"),
        (b"null", "an object is of the wrong kind: expected `object`, got `null`"),
        (b"{}", "an object has no country_code"),
        (location(party_id=None), "an object has no party_id"),
        (location(id=["L1"]), "an object has no id"),
        (location(id=""), "an object has no id"),
        (location(id=".."), "an object has an id that cannot stand in a URL"),
        (location(id="a/../../b"), "an object has an id that cannot stand in a URL"),
        (location(id="a\nb"), "an object has an id that cannot stand in a URL"),
        (location(id="x" * 256), "an object has an id that cannot stand in a URL"),
    ],
)
def test_what_cannot_be_used(raw: bytes, why: str) -> None:
    row = found(names.LOCATIONS, OWNER, raw)
    assert (row.key, row.problem) == (None, why)


@pytest.mark.parametrize("object_id", ["a b", "a/b", "é", "100%", "L.1", "x" * 255])
def test_odd_ids_are_ids(object_id: str) -> None:
    row = found(names.LOCATIONS, OWNER, location(id=object_id))
    assert row.key is not None
    assert row.key.object_id == object_id


# --- pages ---


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ((), None),
        (('<https://p1.test/other>; rel="prev"',), None),
        (('<https://p1.test/sender/locations?page=2>; rel="next"',), "https://p1.test/sender/locations?page=2"),
        (("<?page=2>; rel=next",), "https://p1.test/sender/locations?page=2"),
        (('<https://elsewhere.test/x>; rel="next"',), "registered hosts"),
        (('<http://p1.test/x>; rel="next"',), "registered hosts"),
        (('<https://p1.test/a b>; rel="next"',), "registered hosts"),
        (('https://p1.test/x; rel="next"',), "cannot be read"),
    ],
)
def test_where_a_link_leads(links: tuple[str, ...], expected: str | None) -> None:
    following = next_url(URL, links, lambda url: url.startswith("https://p1.test/"))
    if isinstance(following, Broken):
        assert expected is not None
        assert expected in following.why
        assert not following.keeps_place
    else:
        assert following == expected


def course(*urls: str) -> Course:
    made = Course()
    for url in urls:
        made.enter(url)
    return made


def test_a_link_to_a_page_that_was_read_ends_the_crawl() -> None:
    been = course(URL, f"{URL}&offset=100")
    assert dead_end(state(pages=2), been, 100, f"{URL}&offset=200") is None
    for url in (URL, f"{URL}&offset=100"):
        broken = dead_end(state(pages=2), been, 100, url)
        assert broken == Broken("the Links of the list lead in a circle")


def test_a_page_without_news_that_links_on_ends_the_crawl() -> None:
    broken = dead_end(state(pages=2), course(URL), 0, f"{URL}&offset=200")
    assert broken == Broken("a page has nothing new and links to yet another one")


@pytest.mark.parametrize("counts", [{"pages": MOST_PAGES}, {"pages": 5, "objects": MOST_OBJECTS}])
def test_a_list_without_end_is_left(counts: dict[str, int]) -> None:
    broken = dead_end(state(**counts), course(URL), 100, f"{URL}&offset=200")
    assert broken is not None
    assert "has no end" in broken.why
    assert not broken.keeps_place


def test_a_crawl_counts_every_object_once() -> None:
    been, haul = course(URL), Haul()
    rows = [found(names.LOCATIONS, OWNER, location(id=object_id)) for object_id in ("A", "B", "a", "C")]
    haul.add(rows[:2], been)
    haul.add([*rows[2:], found(names.LOCATIONS, OWNER, location(party_id="CPX"))], been)
    haul.add([found(names.LOCATIONS, OWNER, b"{}")], been)
    haul.spoil("L9: last_updated is missing")
    assert (haul.new, haul.foreign, haul.unusable, haul.flaw) == (5, 1, 2, "an object has no country_code")
    later = Haul()
    later.add(rows, been)
    assert later.new == 0

    before = state(pages=1, objects=10, total=20, foreign=1, unusable=1, flaw="the first", read_at=None)
    after = after_page(before, haul, NOW, 15, f"{URL}&offset=200")
    assert (after.pages, after.objects, after.foreign, after.unusable) == (2, 15, 2, 3)
    assert (after.total, after.flaw, after.next_url, after.read_at) == (20, "the first", f"{URL}&offset=200", NOW)
    assert after_page(before, haul, NOW, None, None).total == 20
    assert after_page(before, haul, NOW, 21, None).total == 21
    assert after_page(state(), Haul(), NOW, 0, None).total == 0


def test_what_is_wrong_with_a_whole_list() -> None:
    assert shortfall(state(objects=5)) is None
    assert shortfall(state(objects=5, total=5)) is None
    assert shortfall(state(objects=6, total=5)) is None
    assert shortfall(state(objects=0, total=0)) is None
    assert shortfall(state(objects=4, total=5)) == Broken("the list ends after 4 of 5 objects")
    spoilt = shortfall(state(objects=5, total=5, unusable=2, flaw="an object has no id"))
    assert spoilt == Broken("2 objects cannot be used, the first because an object has no id")


# --- what becomes of objects ---


@pytest.mark.parametrize("text", [location(), location().replace(b",", b" ,\r\n\t").replace(b":", b" : ", 1)])
def test_what_is_held_already_changes_nothing(text: bytes) -> None:
    verdict = judge_pulled(Push("PUT", KEY, (), text), location())
    assert (verdict.code, verdict.raw, verdict.fan_out, verdict.removed) == (StatusCode.OK, None, False, False)


@pytest.mark.parametrize("name", ["a  b", "a\\  b", 'a"  b'])
def test_white_space_in_texts_is_no_white_space(name: str) -> None:
    held = location(name=name)
    changed = location(name=name.replace("  ", " "))
    assert judge_pulled(Push("PUT", KEY, (), changed), held).raw == changed


def test_other_digits_are_another_object() -> None:
    text = location().replace(b'"publish"', b'"n":1.0,"publish"')
    verdict = judge_pulled(Push("PUT", KEY, (), text), text.replace(b"1.0", b"1.00"))
    assert (verdict.raw, verdict.fan_out) == (text, True)


def test_the_rules_of_a_push_hold() -> None:
    assert judge_pulled(Push("PUT", KEY, (), location()), None).http == 201
    older = location(last_updated="2025-01-01T00:00:00Z")
    assert judge_pulled(Push("PUT", KEY, (), older), location()).stale
    assert judge_pulled(Push("PUT", KEY, (), location(last_updated=None)), None).code == StatusCode.INVALID_PARAMETERS


@pytest.mark.parametrize(("module", "told"), [(names.TARIFFS, True), (names.LOCATIONS, False), (names.TOKENS, False)])
def test_what_is_absent_goes_and_only_tariffs_are_deleted_elsewhere(module: str, told: bool) -> None:
    key = ObjectKey(module, OWNER, "X1")
    verdict = judge_absent(key, b"{}", b"{}")
    assert (verdict.removed, verdict.fan_out) == (True, told)
    for held in (None, b'{"pushed":"meanwhile"}'):
        verdict = judge_absent(key, b"{}", held)
        assert (verdict.code, verdict.removed, verdict.raw, verdict.fan_out) == (StatusCode.OK, False, None, False)
