"""Scenarios S-045 to S-048: GET ALL, served from the hub's catalog; and single objects out of it."""

from pathlib import Path

import pytest

from hub import app
from hub.app import RunningHub
from hub.broker.refusal import Refusal
from hub.ocpi import codec, headers, names, urls
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.world import World, fixture_world
from tests.conformance.asking import TIMES, follow, get_all, get_one, ids, published
from tests.conformance.speaking import HUB, as_written, between, legs, push, said
from tests.hubs import id_of, register_all, settled, test_settings

S = Interface.SENDER


@pytest.mark.parametrize("hub_party", ["NL/HUB", "nl/hub"])
async def test_s_045_get_all(hub: RunningHub, world: World, hub_party: str) -> None:
    pushed = [as_written(objects.location(owner, "LOC1")) for owner in ("NL/CPA", "FR/DUO")]
    assert said(await push(world["P1"], names.LOCATIONS, "NL/CPA", "LOC1", pushed[0])) == (201, 1000)
    assert said(await push(world["P4"], names.LOCATIONS, "FR/DUO", "LOC1", pushed[1])) == (201, 1000)
    await settled(hub)
    world.forget_received()
    answer = await get_all(world, to=hub_party)
    assert said(answer) == (200, 1000)
    assert [(row["country_code"], row["party_id"]) for row in answer.data] == [("NL", "CPA"), ("FR", "DUO")]
    assert 0 < answer.body.index(pushed[0]) < answer.body.index(pushed[1])
    assert (answer.headers[headers.TOTAL_COUNT], answer.headers[headers.LIMIT]) == ("2", "100")
    assert not answer.links
    assert between(answer) == ("NL/EMA", "NL/HUB")
    assert legs(world) == {}


async def test_s_046_get_all_paging_and_dates(hub: RunningHub, world: World) -> None:
    for number, moment in enumerate(TIMES):
        await published(world["P1"], "NL/CPA", f"L{number}", last_updated=moment)
    first = await get_all(world, "limit=2")
    assert ids(first) == ["L0", "L1"]
    assert first.headers[headers.TOTAL_COUNT] == "3"
    assert first.headers[headers.LINK].endswith('>; rel="next"')
    url = first.next_url
    assert url is not None
    assert url.startswith(f"{hub.settings.public_url}/ocpi/2.2.1/sender/locations?")
    assert len(url) <= 255
    query = url.partition("?")[2]
    assert (urls.query_value(query, "offset"), urls.query_value(query, "limit")) == ("2", "2")

    middle = await get_all(world, f"date_from={TIMES[1]}&date_to={TIMES[2]}")
    assert ids(middle) == ["L1"]
    assert middle.headers[headers.TOTAL_COUNT] == "1"
    newer = await get_all(world, f"limit=1&date_from={TIMES[1]}")
    assert ids(newer) == ["L1"]
    assert newer.headers[headers.TOTAL_COUNT] == "2"
    assert newer.next_url is not None
    assert urls.query_value(newer.next_url.partition("?")[2], "date_from") == TIMES[1]
    last = await follow(world, newer.next_url)
    assert ids(last) == ["L2"]
    assert not last.links


async def test_s_047_direct_pushes_are_not_in_get_all(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "LOC1")
    direct = objects.location("NL/CPA", "LX")
    assert (await world["P1"].publish(names.LOCATIONS, direct, to="NL/EMA")).ok
    await settled(hub)
    answer = await get_all(world)
    assert ids(answer) == ["LOC1"]
    assert answer.headers[headers.TOTAL_COUNT] == "1"


async def test_s_048_list_without_to(hub: RunningHub, world: World) -> None:
    answer = await get_all(world, to=None)
    assert said(answer) == (200, 4001)
    assert HUB in (answer.status_message or "")
    assert legs(world) == {}


ROUTINGS: list[dict[str, str]] = [{"to": HUB, "sender": "NL/EMA"}, {"sender": "NL/EMA"}, {}]


@pytest.mark.parametrize("routing", ROUTINGS, ids=["both", "from", "none"])
async def test_links_work_with_and_without_routing_headers(
    hub: RunningHub, world: World, routing: dict[str, str]
) -> None:
    for number in range(5):
        await published(world["P1"], "NL/CPA", f"A{number}")
        await published(world["P4"], "FR/DUO", f"D{number}")
    page = await get_all(world, "limit=3")
    seen = ids(page)
    while page.next_url is not None:
        page = await follow(world, page.next_url, **routing)
        assert page.ok, page
        assert between(page) == ("NL/EMA", HUB)
        assert page.headers[headers.TOTAL_COUNT] == "10"
        seen += ids(page)
    assert seen == [f"{owner}{number}" for number in range(5) for owner in "AD"]


async def test_plain_offsets_work(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", *(f"L{number}" for number in range(5)))
    assert ids(await get_all(world, "offset=3&limit=2")) == ["L3", "L4"]
    assert ids(await get_all(world, "offset=1&limit=2")) == ["L1", "L2"]
    assert ids(await get_all(world, "offset=4")) == ["L4"]
    beyond = await get_all(world, "offset=5&limit=2")
    assert (said(beyond), beyond.data, beyond.headers[headers.TOTAL_COUNT]) == ((200, 1000), [], "5")
    assert not beyond.links
    assert not (await get_all(world, "offset=3&limit=2")).links


async def test_a_link_in_other_hands_shows_nothing_more(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "A1")
    await published(world["P4"], "FR/DUO", "D1", "D2")
    await published(world["P1"], "NL/CPA", "A2")
    url = (await get_all(world, "limit=1")).next_url
    assert url is not None
    answer = await follow(world, url, by="P4", to=HUB, sender="FR/DUO")
    assert {row["party_id"] for row in answer.data or []} <= {"CPA"}
    answer = await follow(world, url, by="P4")
    assert not answer.ok
    assert answer.data is None


async def test_an_update_does_not_move_an_object(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "L1", "L2", "L3")
    await published(world["P4"], "FR/DUO", "D1")
    page = await get_all(world, "limit=2")
    await published(world["P1"], "NL/CPA", "L1", last_updated=TIMES[1])
    await published(world["P1"], "BE/CPB", "B1")
    assert page.next_url is not None
    assert ids(await follow(world, page.next_url)) == ["L3", "D1"]
    answer = await get_all(world)
    assert ids(answer) == ["L1", "L2", "L3", "D1", "B1"]
    assert answer.data[0]["last_updated"] == TIMES[1]


async def test_a_token_of_two_types_is_two_objects(hub: RunningHub, world: World) -> None:
    for kind in ("RFID", "APP_USER"):
        assert (await world["P2"].publish(names.TOKENS, objects.token("NL/EMA", "04AA", kind=kind))).status == 201
    answer = await world["P1"].call("GET", names.TOKENS, S, to=HUB, sender="NL/CPA")
    assert [(row["uid"], row["type"]) for row in answer.data] == [("04AA", "RFID"), ("04AA", "APP_USER")]


BAD = [
    "offset=-1",
    "offset=x",
    "limit=0",
    "limit=1.5",
    "date_from=yesterday",
    f"date_from={TIMES[1]}&date_to={TIMES[0]}",
]


@pytest.mark.parametrize("query", BAD)
async def test_bad_paging_parameters_are_2001_at_the_hub_alone(hub: RunningHub, world: World, query: str) -> None:
    answer = await get_all(world, query)
    assert said(answer) == (200, 2001)
    assert query.partition("=")[0] in (answer.status_message or "")
    assert answer.data is None
    assert legs(world) == {}
    await get_all(world, query, to="NL/CPA")
    assert world["P1"].received[-1].query == query


@pytest.mark.parametrize("module", [names.SESSIONS, names.CDRS])
@pytest.mark.parametrize("query", ["", "date_from=2026-01-01T00:00:00Z"])
async def test_what_the_hub_does_not_hold_is_no_empty_list(
    hub: RunningHub, world: World, module: str, query: str
) -> None:
    answer = await get_all(world, query, module=module)
    assert said(answer) == (200, 2001)
    assert answer.data is None
    assert "owner" in (answer.status_message or "")
    assert legs(world) == {}


async def test_a_module_without_objects_is_an_empty_list(hub: RunningHub, world: World) -> None:
    answer = await get_all(world, module=names.TARIFFS)
    assert (said(answer), answer.data, answer.headers[headers.TOTAL_COUNT]) == ((200, 1000), [], "0")
    assert not answer.links


async def test_a_single_object_out_of_the_catalog(hub: RunningHub, world: World) -> None:
    pushed = as_written(objects.location("NL/CPA", "LOC1", evses=2))
    assert (await push(world["P1"], names.LOCATIONS, "NL/CPA", "LOC1", pushed)).ok
    await settled(hub)
    world.forget_received()
    whole = await get_one(world, "loc1")
    assert (said(whole), between(whole)) == ((200, 1000), ("NL/EMA", HUB))
    assert pushed in whole.body
    assert whole.data == codec.loads(pushed)
    assert (await get_one(world, "LOC1/e2")).data == whole.data["evses"][1]
    assert (await get_one(world, "LOC1/E2/1")).data == whole.data["evses"][1]["connectors"][0]
    for tail in ("NOPE", "LOC1/NOPE", "LOC1/E1/NOPE"):
        assert said(await get_one(world, tail)) == (404, 2003), tail
    assert legs(world) == {}


async def test_two_owners_with_one_id_are_ambiguous(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", "LOC5")
    await published(world["P4"], "FR/DUO", "loc5")
    assert said(await get_one(world, "LOC5")) == (200, 4001)
    # To one who cannot see the other there is only one.
    seen = await world["P4"].call("GET", names.LOCATIONS, S, "LOC5", to=HUB, sender="FR/DUO")
    assert seen.data["party_id"] == "CPA"
    await hub.operations.suspend(id_of(hub, "P4"))
    assert (await get_one(world, "LOC5")).data["party_id"] == "CPA"


async def test_a_platform_has_a_page_limit_of_its_own(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", *(f"L{number}" for number in range(5)))
    done = await hub.operations.change_settings(id_of(hub, "P2"), {"page_limit": 2})
    assert not isinstance(done, Refusal), done
    page = await get_all(world, "limit=50")
    assert (ids(page), page.headers[headers.LIMIT]) == (["L0", "L1"], "2")
    crawl = await world["P2"].crawl(names.LOCATIONS, to=HUB, sender="NL/EMA")
    assert crawl.complete
    assert [row["id"] for row in crawl.objects] == [f"L{number}" for number in range(5)]
    assert {page.headers[headers.LIMIT] for page in crawl.pages} == {"2"}
    other = await world["P5"].call("GET", names.LOCATIONS, S, to=HUB, sender="BE/EMC")
    assert (len(other.data), other.headers[headers.LIMIT]) == (5, "100")


async def test_a_limit_above_the_hubs_own_is_cut(hub: RunningHub, world: World) -> None:
    for number in range(103):
        assert (await world["P1"].publish(names.TARIFFS, objects.tariff("NL/CPA", f"T{number}"))).ok
    page = await get_all(world, "limit=5000", module=names.TARIFFS)
    assert (len(page.data), page.headers[headers.LIMIT], page.headers[headers.TOTAL_COUNT]) == (100, "100", "103")
    assert len((await get_all(world, module=names.TARIFFS)).data) == 50
    assert page.next_url is not None
    assert len((await follow(world, page.next_url)).data) == 3


async def test_a_deleted_tariff_is_not_listed_any_more(hub: RunningHub, world: World) -> None:
    for tariff_id in ("T1", "T2"):
        assert (await world["P1"].publish(names.TARIFFS, objects.tariff("NL/CPA", tariff_id))).ok
    assert (await push(world["P1"], names.TARIFFS, "NL/CPA", "t1", None, method="DELETE")).ok
    answer = await get_all(world, module=names.TARIFFS)
    assert (ids(answer), answer.headers[headers.TOTAL_COUNT]) == (["T2"], "1")


async def test_catalog_and_links_survive_a_restart(tmp_path: Path) -> None:
    with (tmp_path / "legs.log").open("wb") as legs_to:
        async with fixture_world(only=["P1", "P2"]) as world:
            async with app.running(test_settings(tmp_path), legs_to=legs_to) as hub:
                await register_all(hub, world)
                await published(world["P1"], "NL/CPA", "L1", "L2", "L3")
                before = await get_all(world, "limit=2")
                port = hub.settings.port
            async with app.running(test_settings(tmp_path, port=port), legs_to=legs_to):
                assert (await get_all(world, "limit=2")).data == before.data
                assert before.next_url is not None
                last = await follow(world, before.next_url)
                assert (ids(last), last.links) == (["L3"], ())
