"""Scenarios S-042 to S-044, and what else a page link must stand: restarts, other platforms, other hosts, cursors."""

from pathlib import Path

import pytest

from hub import app
from hub.app import RunningHub
from hub.clock import ManualClock
from hub.ocpi import headers, names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.habits import LinkStyle
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World, fixture_world
from tests.hubs import id_of, register_all, test_settings

S = Interface.SENDER
QUERY = "date_from=2026-01-01T00:00:00Z&limit=2"


def with_cdrs(platform: SandboxPlatform, count: int = 5) -> None:
    for number in range(count):
        platform.own.put(names.CDRS, objects.cdr("NL/CPA", f"CDR{number}"))


async def first_page(world: World, query: str = QUERY) -> Answer:
    return await world["P2"].call("GET", names.CDRS, S, to="NL/CPA", sender="NL/EMA", query=query)


async def follow(world: World, url: str, *, by: str = "P2", **headers_: str) -> Answer:
    return await world[by].call("GET", "", None, url=url, **headers_)  # type: ignore[arg-type]


async def test_s_042_link_rewriting(hub: RunningHub, world: World) -> None:
    p1 = world["P1"]
    with_cdrs(p1)
    p1.habits.page_limit = 2
    answer = await first_page(world)
    assert (answer.headers[headers.TOTAL_COUNT], answer.headers[headers.LIMIT]) == ("5", "2")
    assert answer.headers[headers.LINK].endswith('>; rel="next"')
    url = answer.next_url
    assert url is not None
    assert url.startswith(f"{hub.settings.public_url}/ocpi/2.2.1/sender/cdrs?offset=2&limit=2&")
    assert p1.base_url not in answer.headers[headers.LINK]
    assert len(url) <= 255
    pages = []
    for routing in ({"to": "NL/CPA", "sender": "NL/EMA"}, {"sender": "NL/EMA"}, {}):
        p1.received.clear()
        page = await follow(world, url, **routing)
        (leg,) = p1.received
        assert leg.path == "/ocpi/2.2.1/s/cdrs"
        assert "offset=2" in leg.query
        assert "date_from=2026-01-01T00:00:00Z" in leg.query
        assert (str(leg.to), str(leg.sender)) == ("NL/CPA", "NL/EMA")
        pages.append(page)
    assert len({tuple(row["id"] for row in page.data) for page in pages}) == 1
    last_url = pages[0].next_url
    assert last_url is not None
    last = await follow(world, last_url)
    assert [row["id"] for row in last.data] == ["CDR4"]
    assert not last.links


async def test_a_crawl_ends_with_everything(hub: RunningHub, world: World) -> None:
    with_cdrs(world["P1"], 23)
    crawl = await world["P2"].crawl(names.CDRS, to="NL/CPA", sender="NL/EMA", query="limit=4")
    assert crawl.complete
    assert [row["id"] for row in crawl.objects] == [f"CDR{number}" for number in range(23)]


async def test_s_043_link_is_bound(hub: RunningHub, world: World) -> None:
    with_cdrs(world["P1"])
    url = (await first_page(world)).next_url
    assert url is not None
    world["P1"].received.clear()
    for by, claimed in (("P3", "NL/NSP"), ("P4", "FR/DUO"), ("P2", "DE/EMB")):
        answer = await follow(world, url, by=by, to="NL/CPA", sender=claimed)
        assert (answer.status, answer.status_code) == (404, 2001), by
    changed = url[:-3] + ("AAA" if not url.endswith("AAA") else "BBB")
    for other in (changed, url + "x", url.replace("hub_page=", "hub_page=x")):
        answer = await follow(world, other, to="NL/CPA", sender="NL/EMA")
        assert (answer.status, answer.status_code) == (404, 2001)
    answer = await follow(world, url.replace("/sender/cdrs", "/sender/locations"), to="NL/CPA", sender="NL/EMA")
    assert (answer.status, answer.status_code) == (404, 2001)
    answer = await follow(world, url, to="BE/CPB", sender="NL/EMA")
    assert (answer.status, answer.status_code) == (404, 2001)
    assert not world["P1"].received


async def test_s_044_relative_upstream_link(hub: RunningHub, world: World) -> None:
    p1 = world["P1"]
    body = b'{"data":[],"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
    link = {headers.LINK: "</ocpi/2.2.1/s/cdrs?offset=2>; rel=next"}
    p1.faults.on(names.CDRS, times=1).answer(200, body, link)
    url = (await first_page(world)).next_url
    assert url is not None
    await follow(world, url)
    assert p1.received[-1].target == "/ocpi/2.2.1/s/cdrs?offset=2"


@pytest.mark.parametrize(
    "value",
    [
        '<{base}/ocpi/2.2.1/s/cdrs?cursor=a%2Fb%3D%3D>; rel="next"',
        '<{base}/prev>; rel="prev", <{base}/ocpi/2.2.1/s/cdrs?cursor=a%2Fb%3D%3D>; title="x, y"; rel="next"',
        "<{base}/ocpi/2.2.1/s/cdrs?cursor=a%2Fb%3D%3D>;rel=next",
        '<{base}/ocpi/2.2.1/s/cdrs?cursor=a%2Fb%3D%3D>; rel="last next"',
    ],
)
async def test_every_spelling_of_a_link_is_followed_exactly(hub: RunningHub, world: World, value: str) -> None:
    p1 = world["P1"]
    body = b'{"data":[],"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
    p1.faults.on(names.CDRS, times=1).answer(200, body, {headers.LINK: value.format(base=p1.base_url)})
    url = (await first_page(world)).next_url
    assert url is not None
    await follow(world, url)
    assert p1.received[-1].target == "/ocpi/2.2.1/s/cdrs?cursor=a%2Fb%3D%3D"


async def test_an_empty_link_is_a_last_page(hub: RunningHub, world: World) -> None:
    body = b'{"data":[],"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
    world["P1"].faults.on(names.CDRS).answer(200, body, {headers.LINK: ""})
    answer = await first_page(world)
    assert answer.ok
    assert headers.LINK not in answer.headers


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/ocpi/2.2.1/s/cdrs?offset=2", "https://elsewhere.test/x", "//h/x"])
async def test_a_link_to_a_foreign_host_is_an_error_and_not_a_last_page(
    hub: RunningHub, world: World, url: str
) -> None:
    body = b'{"data":[],"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
    world["P1"].faults.on(names.CDRS).answer(200, body, {headers.LINK: f'<{url}>; rel="next"'})
    answer = await first_page(world)
    assert (answer.status, answer.status_code) == (200, 4000)
    assert answer.data is None


async def test_cursors_and_plain_offsets_work(hub: RunningHub, world: World) -> None:
    p1 = world["P1"]
    with_cdrs(p1)
    p1.habits.link_style = LinkStyle.CURSOR
    crawl = await world["P2"].crawl(names.CDRS, to="NL/CPA", sender="NL/EMA", query="limit=2")
    assert [row["id"] for row in crawl.objects] == [f"CDR{number}" for number in range(5)]
    plain = await first_page(world, "offset=4&limit=2")
    assert [row["id"] for row in plain.data] == ["CDR4"]


async def test_bad_paging_parameters_are_the_owners_matter_on_a_routed_get(hub: RunningHub, world: World) -> None:
    await first_page(world, "offset=-1&limit=abc&date_from=nonsense")
    assert world["P1"].received[-1].query == "offset=-1&limit=abc&date_from=nonsense"


async def test_a_link_works_after_a_restart_and_expires_after_a_day(tmp_path: Path) -> None:
    clock = ManualClock()
    with (tmp_path / "legs.log").open("wb") as legs:
        async with fixture_world(only=["P1", "P2"]) as world:
            settings = test_settings(tmp_path)
            async with app.running(settings, clock=clock, legs_to=legs) as hub:
                await register_all(hub, world)
                with_cdrs(world["P1"])
                url = (await first_page(world)).next_url
                assert url is not None
                port = hub.settings.port
            again = test_settings(tmp_path, port=port)
            async with app.running(again, clock=clock, legs_to=legs) as hub:
                assert (await follow(world, url)).ok
                assert (await follow(world, url)).ok
                await clock.jump(24 * 3600 - 60)
                assert (await follow(world, url)).ok
                await clock.jump(120)
                answer = await follow(world, url)
                assert (answer.status, answer.status_code) == (404, 2001)


async def test_a_long_page_streams_and_a_broken_one_does_not_end_properly(hub: RunningHub, world: World) -> None:
    p1 = world["P1"]
    p1.faults.on(names.CDRS, times=1).oversize(3 * 1024 * 1024, chunked=True)
    answer = await first_page(world)
    assert answer.status == 200
    assert len(answer.body) == 3 * 1024 * 1024
    assert answer.ok
    p1.faults.on(names.CDRS, times=1).answer(
        200, b'{"data":"' + b"x" * 2_000_000, {"Content-Length": "4000000", headers.CONTENT_TYPE: headers.JSON}
    )
    broken = await first_page(world)
    assert broken.failure is not None or broken.status_code in (4002, 4000), broken


async def test_an_answer_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "legs.log").open("wb") as legs:
        settings = test_settings(tmp_path, max_body=200_000, stream_above=50_000)
        async with app.running(settings, legs_to=legs) as hub, fixture_world(only=["P1", "P2"]) as world:
            await register_all(hub, world)
            assert id_of(hub, "P1")
            world["P1"].faults.on(names.CDRS, times=1).oversize(200_001)
            answer = await first_page(world)
            assert (answer.status, answer.status_code) == (200, 4000)
            world["P1"].faults.on(names.CDRS, times=1).oversize(300_000, chunked=True)
            answer = await first_page(world)
            assert answer.failure is not None or answer.status_code == 4000
