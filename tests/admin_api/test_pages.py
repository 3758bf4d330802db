"""Lists page by page: complete, in order, and unharmed by what comes and goes between two pages."""

from typing import Any

from hub.app import RunningHub
from tests.admin_api.conftest import Operator


async def crawled(admin: Operator, path: str, limit: int) -> list[list[dict[str, Any]]]:
    pages: list[list[dict[str, Any]]] = []
    query = {"limit": str(limit)}
    while True:
        reply = await admin.get(path, **query)
        assert reply.status == 200, reply.text
        pages.append(reply.body["items"])
        if reply.body["next"] is None:
            return pages
        query["after"] = reply.body["next"]


async def test_platforms_are_listed_oldest_first(admin: Operator) -> None:
    names = [f"Platform {number}" for number in range(7)]
    for name in names:
        await admin.invite(name)

    pages = await crawled(admin, "/platforms", 3)

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [row["name"] for page in pages for row in page] == names
    assert [len(page) for page in await crawled(admin, "/platforms", 7)] == [7]


async def test_parties_are_listed_by_country_and_party(admin: Operator) -> None:
    await admin.invite("One", "CPO:NL:ZZZ", "EMSP:NL:AAA", "CPO:NL:AAA")
    await admin.invite("Two", "CPO:BE:MMM")

    pages = await crawled(admin, "/parties", 2)

    rows = [(row["country_code"], row["party_id"], row["role"]) for page in pages for row in page]
    assert rows == [("BE", "MMM", "CPO"), ("NL", "AAA", "CPO"), ("NL", "AAA", "EMSP"), ("NL", "ZZZ", "CPO")]


async def test_alarms_are_listed_newest_first(admin: Operator, hub: RunningHub) -> None:
    for number in range(5):
        hub.alarms.sound("role_conflict", f"p{number}", "somebody claims too much")
    hub.alarms.sound("role_conflict", "p0", "again")

    pages = await crawled(admin, "/alarms", 2)

    assert [row["subject"] for page in pages for row in page] == ["p0", "p4", "p3", "p2", "p1"]
    assert pages[0][0]["count"] == 2


async def test_what_comes_and_goes_between_two_pages_breaks_nothing(admin: Operator) -> None:
    ids = [(await admin.invite(f"Platform {number}"))["id"] for number in range(4)]
    first = (await admin.get("/platforms", limit="2")).body

    # The item that the cursor stands on is gone, and so is the next one.
    for gone in ids[1:3]:
        assert (await admin.call("DELETE", f"/platforms/{gone}")).status == 200
    newcomer = (await admin.invite("Newcomer"))["id"]
    second = (await admin.get("/platforms", limit="2", after=first["next"])).body

    assert [row["id"] for row in second["items"]] == [ids[3], newcomer]
    assert second["next"] is None
