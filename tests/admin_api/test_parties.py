"""The calls about parties and alarms."""

from collections.abc import Awaitable

import pytest

from hub.app import RunningHub
from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.sandbox import SandboxPlatform
from tests.admin_api.conftest import Operator, Reply, as_body


async def test_a_party_is_listed_with_its_platform_and_version(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)
    await admin.post(f"/platforms/{platform_id}/approve", {"roles": [as_body("EMSP:NL:EMA")]})

    rows = (await admin.get("/parties")).body["items"]

    assert [(row["country_code"], row["party_id"], row["role"], row["status"]) for row in rows] == [
        ("BE", "CPB", "CPO", "CONNECTED"),
        ("NL", "CPA", "CPO", "CONNECTED"),
        ("NL", "EMA", "EMSP", "PLANNED"),
    ]
    assert {(row["platform_id"], row["platform_name"], *row["versions"]) for row in rows} == {
        (platform_id, "Charge", "2.2.1")
    }


async def test_a_suspended_party_is_refused_and_its_neighbour_is_not(
    admin: Operator, cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    await admin.register(cpo)
    await admin.register(emsp)

    reply = await admin.post("/parties/nl/cpa/cpo/suspend")

    assert (reply.status, reply.body["status"], reply.body["party_id"]) == (200, "SUSPENDED", "CPA")
    asked = {
        party: await emsp.call("GET", names.LOCATIONS, Interface.SENDER, to=party, sender="NL/EMA")
        for party in ("NL/CPA", "BE/CPB")
    }
    assert {party: answer.status_code for party, answer in asked.items()} == {"NL/CPA": 4003, "BE/CPB": 1000}
    assert (await admin.post("/parties/NL/CPA/CPO/suspend")).status == 200
    back = await admin.post("/parties/NL/CPA/CPO/resume")
    assert back.body["status"] == "CONNECTED"
    answer = await emsp.call("GET", names.LOCATIONS, Interface.SENDER, to="NL/CPA", sender="NL/EMA")
    assert answer.status_code == 1000


@pytest.mark.parametrize("step", ["suspend", "resume"])
async def test_a_party_that_is_not_there(admin: Operator, step: str) -> None:
    await admin.invite("Charge", "CPO:NL:CPA")

    planned = await admin.post(f"/parties/NL/CPA/CPO/{step}")
    unknown = await admin.post(f"/parties/NL/XXX/CPO/{step}")
    other_role = await admin.post(f"/parties/NL/CPA/EMSP/{step}")
    no_role = await admin.post(f"/parties/NL/CPA/CEO/{step}")

    assert [reply.status for reply in (planned, unknown, other_role, no_role)] == [409, 404, 404, 404]
    assert "CPO, EMSP" in no_role.body["title"]


async def test_a_party_moves_to_another_platform(admin: Operator, cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    await admin.register(emsp)
    await admin.register(cpo)
    async with SandboxPlatform("Other", [(Role.CPO, "FR", "OTH")]) as other:
        other_id = await admin.register(other)

        reply = await admin.post("/parties/nl/cpa/cpo/move", {"platform_id": other_id})
        again = await admin.post("/parties/NL/CPA/CPO/move", {"platform_id": other_id})

    assert reply.status == 200
    moved = (reply.body["party_id"], reply.body["status"], reply.body["platform_id"], reply.body["platform_name"])
    assert moved == ("CPA", "CONNECTED", other_id, "Other")
    rows = {row["party_id"]: row["platform_name"] for row in (await admin.get("/parties")).body["items"]}
    assert rows == {"CPA": "Other", "CPB": "Charge", "OTH": "Other", "EMA": "Drive"}
    assert (again.status, "already" in again.body["title"]) == (409, True)


async def test_a_party_that_cannot_move(admin: Operator, cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    await admin.register(cpo)
    emsp_id = await admin.register(emsp)
    planned = (await admin.invite("Planned"))["id"]

    def move(platform_id: object, party: str = "NL/CPA/CPO") -> Awaitable[Reply]:
        return admin.post(f"/parties/{party}/move", {"platform_id": platform_id})

    useless, missing, not_registered = await move(emsp_id), await move("nobody"), await move(planned)
    unknown, no_role, not_said = await move(emsp_id, "NL/XXX/CPO"), await move(emsp_id, "NL/CPA/CEO"), await move(None)

    assert [reply.status for reply in (useless, missing, not_registered)] == [409] * 3
    assert "offers nothing that a CPO is reached by" in useless.body["title"]
    assert "locations SENDER" in useless.body["detail"]
    assert missing.pointers == ["/platform_id"]
    assert [reply.status for reply in (unknown, no_role)] == [404, 404]
    assert (not_said.status, not_said.pointers) == (422, ["/platform_id"])


async def test_an_alarm_is_listed_and_acknowledged(admin: Operator, hub: RunningHub) -> None:
    hub.alarms.sound("store_unavailable", "store", "the disk is full", standing=True)

    alarm = (await admin.get("/alarms")).body["items"][0]
    reply = await admin.post(f"/alarms/{alarm['id']}/acknowledge")

    assert (alarm["kind"], alarm["subject"], alarm["standing"]) == ("store_unavailable", "store", True)
    assert (alarm["acknowledged"], reply.body["acknowledged"]) == (False, True)
    assert (await admin.get("/alarms")).body["items"] == [reply.body]
    assert (await admin.post("/alarms/nothing/acknowledge")).status == 404


async def test_a_claimed_role_of_somebody_else_is_an_alarm(admin: Operator, cpo: SandboxPlatform) -> None:
    await admin.invite("First", "CPO:NL:CPA")
    second = await admin.invite("Second")

    handshake = await cpo.register(second["versions_url"], second["registration_token"])

    assert not handshake.ok
    alarms = (await admin.get("/alarms")).body["items"]
    assert [(alarm["kind"], alarm["subject"]) for alarm in alarms] == [("role_conflict", second["id"])]
