"""The calls about pulls: asked for now, and how they stand."""

import datetime as dt
from typing import Any

import pytest

from hub.app import RunningHub
from hub.ocpi import names
from hub.sandbox import SandboxPlatform, objects
from tests.admin_api.conftest import Operator
from tests.admin_api.test_pages import crawled
from tests.waiting import until

HOURLY = {"pull": {"locations": 3600, "tariffs": 3600}}


def offer(cpo: SandboxPlatform, *ids: str, owner: str = "NL/CPA") -> None:
    for location_id in ids:
        cpo.own.put(names.LOCATIONS, objects.location(owner, location_id))


async def pulled(admin: Operator, cpo: SandboxPlatform, change: dict[str, Any] | None = None) -> str:
    platform_id = await admin.register(cpo)
    reply = await admin.call("PATCH", f"/platforms/{platform_id}", change or HOURLY)
    assert reply.status == 200, reply.text
    return platform_id


moment = dt.datetime.fromisoformat


async def finished(admin: Operator, asked_at: str) -> list[dict[str, Any]]:
    """The rows once every pull has started since and does not run."""
    rows: list[dict[str, Any]] = []

    async def over() -> bool:
        rows[:] = (await admin.get("/pulls")).body["items"]
        started = [row["started_at"] and moment(row["started_at"]) >= moment(asked_at) for row in rows]
        return all(started) and all(row["status"] != "RUNNING" for row in rows)

    await until(over)
    return rows


async def test_a_resync_pulls_everything_now(admin: Operator, hub: RunningHub, cpo: SandboxPlatform) -> None:
    offer(cpo, *(f"L{number}" for number in range(120)))
    platform_id = await pulled(admin, cpo)

    reply = await admin.post(f"/platforms/{platform_id}/resync")

    assert reply.status == 200
    asked = [(row["party_id"], row["module"]) for row in reply.body["items"]]
    assert asked == [("CPB", "locations"), ("CPB", "tariffs"), ("CPA", "locations"), ("CPA", "tariffs")]
    rows = await finished(admin, reply.body["asked_at"])
    assert {row["status"] for row in rows} == {"DONE"}
    row = next(row for row in rows if (row["party_id"], row["module"]) == ("CPA", "locations"))
    assert (row["platform_id"], row["objects"], row["total"], row["problem"]) == (platform_id, 120, 120, None)
    assert row["pages"] >= 2
    assert moment(row["started_at"]) <= moment(row["completed_at"]) < moment(row["next_at"])
    assert (await admin.get("/catalog/locations")).body["total"] == 120


async def test_a_pull_that_fails_says_why(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await pulled(admin, cpo, {"pull": {"locations": 3600}})
    cpo.faults.on(names.LOCATIONS, method="GET").answer(500)

    reply = await admin.post(f"/platforms/{platform_id}/resync")

    rows = await finished(admin, reply.body["asked_at"])
    assert {row["status"] for row in rows} == {"FAILED"}
    assert all("500" in row["problem"] for row in rows)
    assert all(moment(row["next_at"]) > moment(reply.body["asked_at"]) for row in rows)


async def test_what_is_in_the_way_of_a_pull_is_said(admin: Operator, hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await pulled(admin, cpo)
    hub.liveness.offline.add(platform_id)

    rows = (await admin.post(f"/platforms/{platform_id}/resync")).body["items"]

    assert {(row["next_at"], row["problem"]) for row in rows} == {(None, "The platform is OFFLINE")}


async def test_pulls_are_listed_page_by_page_or_of_one_platform(
    admin: Operator, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    cpo_id = await pulled(admin, cpo)
    emsp_id = await pulled(admin, emsp, {"pull": {"tokens": 7200}})

    pages = await crawled(admin, "/pulls", 2)
    mine = (await admin.get("/pulls", platform_id=emsp_id)).body["items"]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert sorted(row["platform_id"] for page in pages for row in page) == sorted([cpo_id] * 4 + [emsp_id])
    assert [(row["party_id"], row["module"], row["status"]) for row in mine] == [("EMA", "tokens", "WAITING")]
    assert (await admin.get("/pulls", platform_id="nobody")).body["items"] == []


async def test_a_pull_that_is_switched_off_is_not_listed(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await pulled(admin, cpo)

    await admin.call("PATCH", f"/platforms/{platform_id}", {"pull": {"locations": None, "tariffs": 900}})
    some = (await admin.get("/pulls")).body["items"]
    await admin.call("PATCH", f"/platforms/{platform_id}", {"pull": None})

    assert {row["module"] for row in some} == {"tariffs"}
    assert (await admin.get("/pulls")).body["items"] == []


@pytest.mark.parametrize(
    ("change", "why"),
    [({"name": "Charge"}, "Nothing is pulled from this platform"), ({"pull": {"tokens": 900}}, "tokens")],
)
async def test_nothing_to_resync(admin: Operator, cpo: SandboxPlatform, change: dict[str, Any], why: str) -> None:
    platform_id = await pulled(admin, cpo, change)

    reply = await admin.post(f"/platforms/{platform_id}/resync")

    assert reply.status == 409
    assert why in reply.body["title"]


async def test_resyncing_what_is_not_registered(admin: Operator) -> None:
    platform_id = (await admin.invite())["id"]

    assert (await admin.post(f"/platforms/{platform_id}/resync")).status == 409


async def test_times_are_those_of_the_hub(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await pulled(admin, cpo)
    before = dt.datetime.now(dt.UTC)

    reply = await admin.post(f"/platforms/{platform_id}/resync")

    assert before <= moment(reply.body["asked_at"]) <= dt.datetime.now(dt.UTC)


async def test_the_page_limit_bounds_what_a_platform_gets_at_a_time(
    admin: Operator, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    await admin.register(cpo)
    emsp_id = await admin.register(emsp)
    for number in range(5):
        assert (await cpo.publish(names.LOCATIONS, objects.location("NL/CPA", f"L{number}"))).ok
    await admin.call("PATCH", f"/platforms/{emsp_id}", {"page_limit": 2})

    crawl = await emsp.crawl(names.LOCATIONS, to="NL/HUB", sender="NL/EMA")

    assert [len(page.data) for page in crawl.pages] == [2, 2, 1]
