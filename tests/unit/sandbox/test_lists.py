"""SENDER endpoints: pages, links in every style, dates, single objects, charging preferences."""

import re

import pytest

from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.sandbox import LinkStyle, Listing, SandboxPlatform, objects

S, R = Interface.SENDER, Interface.RECEIVER


def offer_cdrs(platform: SandboxPlatform, count: int, owner: str = "NL/CPA") -> None:
    for number in range(1, count + 1):
        moment = f"2026-01-{number:02d}T00:00:00Z"
        platform.own.put(names.CDRS, objects.cdr(owner, f"CDR{number}", last_updated=moment))


async def test_a_page_says_what_follows(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    offer_cdrs(cpo, 5)
    answer = await emsp.call("GET", names.CDRS, S, query="date_from=2026-01-02T00:00:00Z&limit=2&x=%2F")
    assert [one["id"] for one in answer.data] == ["CDR2", "CDR3"]
    assert (answer.headers["X-Total-Count"], answer.headers["X-Limit"]) == ("4", "50")
    following = f"{cpo.base_url}/ocpi/2.2.1/s/cdrs?offset=2&limit=2&date_from=2026-01-02T00:00:00Z&x=%2F"
    assert answer.links == (f'<{following}>; rel="next"',)
    assert answer.next_url == following
    last = await emsp.call("GET", names.CDRS, S, url=following)
    assert [one["id"] for one in last.data] == ["CDR4", "CDR5"]
    assert last.next_url is None


@pytest.mark.parametrize("style", list(LinkStyle))
async def test_a_crawl_follows_every_style_of_link(
    cpo: SandboxPlatform, emsp: SandboxPlatform, style: LinkStyle
) -> None:
    offer_cdrs(cpo, 5)
    cpo.habits.link_style = style
    cpo.habits.page_limit = 2
    crawl = await emsp.crawl(names.CDRS, to="NL/CPA", sender="NL/EMA", query="date_from=2026-01-01T00:00:00Z")
    assert crawl.complete
    assert [len(page.data) for page in crawl.pages] == [2, 2, 1]
    assert [one["id"] for one in crawl.objects] == ["CDR1", "CDR2", "CDR3", "CDR4", "CDR5"]
    assert all(one.to is not None for one in cpo.received)
    shape = {
        LinkStyle.ABSOLUTE: r"<http://127\.0\.0\.1:\d+/ocpi/2\.2\.1/s/cdrs\?offset=2&limit=2&date_from=.*>",
        LinkStyle.RELATIVE: r"</ocpi/2\.2\.1/s/cdrs\?offset=2&limit=2&date_from=.*>",
        LinkStyle.CURSOR: r"<http://127\.0\.0\.1:\d+/ocpi/2\.2\.1/s/cdrs\?cursor=[0-9a-f]{32}>",
    }
    assert re.match(shape[style], crawl.pages[0].links[0])


async def test_a_crawl_may_leave_routing_out_and_says_when_it_broke(
    cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    offer_cdrs(cpo, 3)
    cpo.habits.page_limit = 1
    await emsp.crawl(names.CDRS, to="NL/CPA", sender="NL/EMA", repeat_routing=False)
    assert [one.to is not None for one in cpo.received] == [True, False, False]

    cpo.faults.on(names.CDRS, times=1).delay(0)
    cpo.faults.on(names.CDRS).answer(500)
    broken = await emsp.crawl(names.CDRS)
    assert not broken.complete
    assert len(broken.objects) == 1
    cpo.faults.clear()
    assert not (await emsp.crawl(names.CDRS, max_pages=2)).complete
    assert (await emsp.crawl(names.CDRS, max_pages=3)).complete


async def test_lists_of_platforms_that_get_it_wrong(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    offer_cdrs(cpo, 5)
    cpo.habits.page_limit = 2
    lengths = {}
    for listing in Listing:
        cpo.habits.listing = listing
        crawl = await emsp.crawl(names.CDRS, max_pages=5)
        lengths[listing] = (crawl.complete, [len(page.data) for page in crawl.pages])
        assert {page.headers["X-Total-Count"] for page in crawl.pages} == {"5"}
    assert lengths == {
        Listing.SOUND: (True, [2, 2, 1]),
        Listing.TRUNCATED: (True, [1]),
        Listing.LOOPING: (False, [2, 2, 1, 2, 2]),
        Listing.ENDLESS: (False, [2, 2, 1, 0, 0]),
        Listing.GARBAGE: (True, [7, 7, 6]),
    }
    cpo.habits.listing = Listing.SOUND
    cpo.habits.says_total = False
    page = await emsp.call("GET", names.CDRS, S)
    assert not {"X-Total-Count", "X-Limit"} & set(page.headers)
    assert page.next_url is not None


async def test_to_narrows_a_list_to_one_party() -> None:
    async with (
        SandboxPlatform("Two", [(Role.CPO, "NL", "CPA"), (Role.CPO, "BE", "CPB")]) as two,
        SandboxPlatform("Emsp", [(Role.EMSP, "NL", "EMA")]) as emsp,
    ):
        assert (await emsp.register(two.versions_url, two.issue_token())).ok
        offer_cdrs(two, 2)
        offer_cdrs(two, 1, "BE/CPB")
        counts = {to: len((await emsp.call("GET", names.CDRS, S, to=to)).data) for to in ("NL/CPA", "BE/CPB", None)}
        assert counts == {"NL/CPA": 2, "BE/CPB": 1, None: 3}


@pytest.mark.parametrize("query", ["offset=-1", "limit=0", "limit=x", "date_from=yesterday", "cursor=nope"])
async def test_bad_page_parameters_are_2001(emsp: SandboxPlatform, cpo: SandboxPlatform, query: str) -> None:
    answer = await emsp.call("GET", names.CDRS, S, query=query)
    assert answer.status_code == 2001
    assert answer.status == (404 if query.startswith("cursor") else 200)


async def test_sessions_need_date_from(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    cpo.own.put(names.SESSIONS, objects.session("NL/CPA"))
    assert (await emsp.call("GET", names.SESSIONS, S)).status_code == 2001
    listed = await emsp.call("GET", names.SESSIONS, S, query="date_from=2026-01-01T00:00:00Z")
    assert [one["id"] for one in listed.data] == ["S1"]


async def test_locations_evses_and_connectors_one_by_one(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    cpo.own.put(names.LOCATIONS, objects.location("NL/CPA", "LOC1", evses=2))
    assert (await emsp.call("GET", names.LOCATIONS, S, "loc1")).data["id"] == "LOC1"
    assert (await emsp.call("GET", names.LOCATIONS, S, "LOC1/E2")).data["uid"] == "E2"
    assert (await emsp.call("GET", names.LOCATIONS, S, "LOC1/E2/1", to="NL/CPA")).data["standard"] == "IEC_62196_T2"
    for tail in ("NOPE", "LOC1/NOPE", "LOC1/E1/NOPE"):
        answer = await emsp.call("GET", names.LOCATIONS, S, tail)
        assert (answer.status, answer.status_code) == (404, 2003), tail


async def test_charging_preferences(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    cpo.own.put(names.SESSIONS, objects.session("NL/CPA"))
    body = objects.charging_preferences()
    answer = await emsp.call("PUT", names.SESSIONS, S, "S1/charging_preferences", body=body)
    assert answer.data == "ACCEPTED"
    assert cpo.owned.charging_preferences["S1"] == body
    cpo.habits.charging_preferences = "NOT_POSSIBLE"
    assert (await emsp.call("PUT", names.SESSIONS, S, "S1/charging_preferences", body=body)).data == "NOT_POSSIBLE"
    assert (await emsp.call("PUT", names.SESSIONS, S, "S2/charging_preferences", body=body)).status == 404
