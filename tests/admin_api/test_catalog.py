"""Looking into the catalog: owners and counts, pages by first sight, one object as it was received."""

from typing import Any

import pytest

from hub.app import RunningHub
from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import SandboxPlatform, objects
from tests.admin_api.conftest import Operator
from tests.admin_api.test_pages import crawled
from tests.conformance.speaking import HUB, as_written


async def push(platform: SandboxPlatform, module: str, owner: str, tail: str, body: Any, query: str = "") -> None:
    answer = await platform.call(
        "PUT", module, Interface.RECEIVER, f"{owner}/{tail}", to=HUB, sender=owner, body=body, query=query
    )
    assert answer.ok, answer


async def locations(platform: SandboxPlatform, owner: str, *ids: str) -> None:
    for location_id in ids:
        await push(platform, names.LOCATIONS, owner, location_id, objects.location(owner, location_id))


def shown(rows: list[dict[str, Any]]) -> list[str]:
    return [f"{row['country_code']}/{row['party_id']} {row['id']}" for row in rows]


async def test_without_a_filter_everything_is_listed_and_counted(admin: Operator, cpo: SandboxPlatform) -> None:
    await admin.register(cpo)
    await locations(cpo, "NL/CPA", "L1", "L2")
    await locations(cpo, "BE/CPB", "L1")
    await locations(cpo, "NL/CPA", "L2", "L0")

    reply = await admin.get("/catalog/locations")

    assert (reply.status, reply.body["module"], reply.body["total"], reply.body["next"]) == (200, "locations", 4, None)
    assert shown(reply.body["items"]) == ["NL/CPA L1", "NL/CPA L2", "BE/CPB L1", "NL/CPA L0"]
    assert reply.body["owners"] == [
        {"country_code": "BE", "party_id": "CPB", "count": 1, "shown": True},
        {"country_code": "NL", "party_id": "CPA", "count": 3, "shown": True},
    ]
    row = reply.body["items"][0]
    assert (row["type"], row["object"]) == (None, None)
    assert row["size"] > 100
    assert row["last_updated"] < row["seen_at"]
    assert (await admin.get("/catalog/tariffs")).body["items"] == []


async def test_a_filter_leaves_some_owners(admin: Operator, cpo: SandboxPlatform) -> None:
    await admin.register(cpo)
    await locations(cpo, "NL/CPA", "L1", "L2")
    await locations(cpo, "BE/CPB", "L1")

    by_country = (await admin.get("/catalog/locations", country_code="be")).body
    by_party = (await admin.get("/catalog/locations", party_id="cpa")).body
    nobody = (await admin.get("/catalog/locations", country_code="BE", party_id="CPA")).body

    assert shown(by_country["items"]) == ["BE/CPB L1"]
    assert (shown(by_party["items"]), by_party["total"]) == (["NL/CPA L1", "NL/CPA L2"], 2)
    assert (nobody["items"], nobody["owners"], nobody["total"]) == ([], [], 0)


async def test_pages_go_on_where_the_one_before_ended(admin: Operator, cpo: SandboxPlatform) -> None:
    await admin.register(cpo)
    ids = [f"L{number}" for number in range(7)]
    await locations(cpo, "NL/CPA", *ids)

    pages = await crawled(admin, "/catalog/locations", 3)
    first = (await admin.get("/catalog/locations", limit="3")).body
    second = (await admin.get("/catalog/locations", limit="3", after=first["next"])).body

    assert [row["id"] for page in pages for row in page] == ids
    assert [len(page) for page in pages] == [3, 3, 1]
    assert len(first["owners"]) == 1
    assert (second["owners"], second["total"]) == (None, 7)
    assert [len(page) for page in await crawled(admin, "/catalog/locations", 7)] == [7]


async def test_many_objects_on_one_page(admin: Operator, cpo: SandboxPlatform) -> None:
    """More than are read from the store at a time."""
    await admin.register(cpo)
    ids = [f"L{number}" for number in range(230)]
    await locations(cpo, "NL/CPA", *ids)

    assert [row["id"] for row in (await admin.get("/catalog/locations", limit="1000")).body["items"]] == ids
    assert [len(page) for page in await crawled(admin, "/catalog/locations", 115)] == [115, 115]


async def test_one_object_is_shown_exactly_as_received(admin: Operator, cpo: SandboxPlatform) -> None:
    await admin.register(cpo)
    written = as_written(objects.location("NL/CPA", "LOC-1"))
    await push(cpo, names.LOCATIONS, "NL/CPA", "LOC-1", written)
    await locations(cpo, "BE/CPB", "loc-1", "LOC-2")

    both = await admin.get("/catalog/locations", id="loc-1")
    one = await admin.get("/catalog/locations", id="Loc-1", country_code="NL", party_id="CPA")

    assert shown(both.body["items"]) == ["NL/CPA LOC-1", "BE/CPB loc-1"]
    assert (one.body["total"], one.body["next"]) == (1, None)
    assert written.decode() in one.text
    assert one.body["items"][0]["size"] == len(written)
    assert (await admin.get("/catalog/locations", id="LOC-3")).body["items"] == []


async def test_same_ids_of_many_owners_are_paged_too(admin: Operator, cpo: SandboxPlatform) -> None:
    await admin.register(cpo)
    for owner in ("NL/CPA", "BE/CPB"):
        await locations(cpo, owner, "L1")

    first = (await admin.get("/catalog/locations", id="L1", limit="1")).body
    second = (await admin.get("/catalog/locations", id="L1", limit="1", after=first["next"])).body

    assert [shown(page["items"]) for page in (first, second)] == [["NL/CPA L1"], ["BE/CPB L1"]]
    assert second["next"] is None


async def test_tokens_have_a_type(admin: Operator, emsp: SandboxPlatform) -> None:
    await admin.register(emsp)
    for kind in ("RFID", "APP_USER"):
        await push(emsp, names.TOKENS, "NL/EMA", "T1", objects.token("NL/EMA", "T1", kind=kind), query=f"type={kind}")

    rows = (await admin.get("/catalog/tokens", id="t1")).body["items"]

    assert [(row["id"], row["type"], row["object"]["type"]) for row in rows] == [
        ("T1", "RFID", "RFID"),
        ("T1", "APP_USER", "APP_USER"),
    ]


async def test_what_is_hidden_from_others_is_shown_to_the_operator(
    admin: Operator, hub: RunningHub, cpo: SandboxPlatform
) -> None:
    platform_id = await admin.register(cpo)
    await locations(cpo, "NL/CPA", "L1")
    await hub.store.catalog.hide(names.LOCATIONS, PartyId("FR", "NEW"))
    await admin.post(f"/platforms/{platform_id}/suspend")

    found = (await admin.get("/catalog/locations")).body

    assert shown(found["items"]) == ["NL/CPA L1"]
    assert [(row["party_id"], row["count"], row["shown"]) for row in found["owners"]] == [
        ("NEW", 0, False),
        ("CPA", 1, True),
    ]


@pytest.mark.parametrize("module", ["sessions", "cdrs", "Locations", "nothing", "x" * 300])
async def test_a_module_that_the_hub_does_not_hold(admin: Operator, module: str) -> None:
    reply = await admin.get(f"/catalog/{module}")

    assert reply.status == 404
    assert "only locations, tariffs, tokens" in reply.body["title"]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"country_code": "NLD"}, "?country_code"),
        ({"party_id": ""}, "?party_id"),
        ({"id": ""}, "?id"),
        ({"id": "x" * 256}, "?id"),
        ({"after": "LTU"}, "?after"),  # -5
        ({"after": "NQ\N{SUPERSCRIPT TWO}"}, "?after"),
        ({"after": "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"}, "?after"),  # too large to be a sequence
    ],
)
async def test_a_filter_that_cannot_be_used(admin: Operator, query: dict[str, str], pointer: str) -> None:
    reply = await admin.get("/catalog/locations", **query)

    assert (reply.status, reply.pointers) == (422, [pointer])


async def test_while_the_store_is_away(admin: Operator, hub: RunningHub) -> None:
    await hub.store.close()

    assert (await admin.get("/catalog/locations")).status == 503


async def test_a_party_that_missed_broadcasts_is_pointed_out(admin: Operator, hub: RunningHub) -> None:
    """Its lane holds one leg, and the platform does not answer the first."""
    async with (
        SandboxPlatform("Charge", [(Role.CPO, "NL", "CPA")]) as cpo,
        SandboxPlatform("Drive", [(Role.EMSP, "NL", "EMA")]) as emsp,
    ):
        await admin.register(cpo)
        hub.broadcasts.most_legs = 1
        emsp_id = await admin.register(emsp)
        assert (await admin.get(f"/platforms/{emsp_id}")).body["behind"] == []
        hanging = emsp.faults.on(names.LOCATIONS).hang()
        await locations(cpo, "NL/CPA", *(f"L{number}" for number in range(100)))

        behind = (await admin.get(f"/platforms/{emsp_id}")).body["behind"]
        rows = (await admin.get("/parties")).body["items"]
        hanging.release()
        emsp.faults.remove(hanging)
        answer = await emsp.call("GET", names.LOCATIONS, Interface.SENDER, to=HUB, sender="NL/EMA")

        assert behind == [{"country_code": "NL", "party_id": "EMA"}]
        assert {row["party_id"]: row["behind"] for row in rows} == {"CPA": False, "EMA": True}
        assert answer.ok
        assert (await admin.get(f"/platforms/{emsp_id}")).body["behind"] == []
