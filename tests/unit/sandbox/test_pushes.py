"""RECEIVER endpoints: what is pushed is kept under its owner and given back; CDRs, client info, authorization."""

from decimal import Decimal

import pytest

from hub.ocpi import names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.sandbox import CdrLocation, SandboxPlatform, objects

S, R = Interface.SENDER, Interface.RECEIVER
LATER = "2026-01-02T00:00:00Z"


async def test_put_makes_then_replaces(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    location = objects.location("NL/CPA", "LOC1")
    first = await cpo.call("PUT", names.LOCATIONS, R, "NL/CPA/LOC1", body=location)
    again = await cpo.call("PUT", names.LOCATIONS, R, "nl/cpa/loc1", body=location | {"name": "Other"})
    assert (first.status, again.status) == (201, 200)
    assert "data" not in (first.envelope or {})
    assert (await cpo.call("GET", names.LOCATIONS, R, "NL/CPA/LOC1")).data["name"] == "Other"
    assert len(emsp.held.all(names.LOCATIONS)) == 1


@pytest.mark.parametrize(
    ("module", "value"),
    [
        (names.LOCATIONS, objects.location("NL/CPA", "X1")),
        (names.SESSIONS, objects.session("NL/CPA", "X1")),
        (names.TARIFFS, objects.tariff("NL/CPA", "X1")),
    ],
)
async def test_owner_and_id_have_to_agree_with_the_url(
    cpo: SandboxPlatform, module: str, value: objects.Object
) -> None:
    assert (await cpo.call("PUT", module, R, "BE/CPB/X1", body=value)).status_code == 2001
    assert (await cpo.call("PUT", module, R, "NL/CPA/X2", body=value)).status_code == 2001
    assert (await cpo.call("PUT", module, R, "NL/CPA/X1", body=b"[1]")).status_code == 2001
    assert (await cpo.call("GET", module, R, "NL/CPA/X1")).status == 404
    assert (await cpo.call("PUT", module, R, "NL/CPA/X1", body=value)).status == 201
    assert (await cpo.call("GET", module, R, "NL/CPA/X1")).data == value


async def test_evses_and_connectors_move_the_time_of_their_parents(cpo: SandboxPlatform) -> None:
    missing = await cpo.call("PUT", names.LOCATIONS, R, "NL/CPA/LOC1/E9", body=objects.evse("E9"))
    assert (missing.status, missing.status_code) == (404, 2003)
    await cpo.call("PUT", names.LOCATIONS, R, "NL/CPA/LOC1", body=objects.location("NL/CPA", "LOC1"))

    new = await cpo.call("PUT", names.LOCATIONS, R, "NL/CPA/LOC1/E2", body=objects.evse("E2", last_updated=LATER))
    assert new.status == 201
    stored = (await cpo.call("GET", names.LOCATIONS, R, "NL/CPA/LOC1")).data
    assert [one["uid"] for one in stored["evses"]] == ["E1", "E2"]
    assert stored["last_updated"] == LATER

    change = {"status": "CHARGING", "last_updated": "2026-01-03T00:00:00Z"}
    assert (await cpo.call("PATCH", names.LOCATIONS, R, "NL/CPA/LOC1/E2", body=change)).status == 200
    stored = (await cpo.call("GET", names.LOCATIONS, R, "NL/CPA/LOC1")).data
    assert stored["evses"][1]["status"] == "CHARGING"
    assert stored["last_updated"] == "2026-01-03T00:00:00Z"

    connector = objects.connector("1", last_updated="2026-01-04T00:00:00Z") | {"max_amperage": 16}
    replaced = await cpo.call("PUT", names.LOCATIONS, R, "NL/CPA/LOC1/E1/1", body=connector)
    assert replaced.status == 200
    got = await cpo.call("GET", names.LOCATIONS, R, "NL/CPA/LOC1/E1/1")
    assert got.data == connector
    assert (await cpo.call("GET", names.LOCATIONS, R, "NL/CPA/LOC1/E1")).data["last_updated"] == "2026-01-04T00:00:00Z"
    wrong_id = await cpo.call("PUT", names.LOCATIONS, R, "NL/CPA/LOC1/E1/2", body=connector)
    assert wrong_id.status_code == 2001


async def test_a_platform_may_insist_that_owners_push_themselves(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.habits.checks_from = True
    tariff = objects.tariff("NL/CPA", "T1")
    by_hub = await cpo.call("PUT", names.TARIFFS, R, "NL/CPA/T1", to="NL/EMA", sender="NL/HUB", body=tariff)
    assert (by_hub.status, by_hub.status_code) == (200, 2001)
    assert (await cpo.call("PUT", names.TARIFFS, R, "NL/CPA/T1", to="NL/EMA", sender="nl/cpa", body=tariff)).ok
    assert (await cpo.call("PUT", names.TARIFFS, R, "NL/CPA/T1", body=tariff)).ok


async def test_patch_needs_a_time_and_an_object(cpo: SandboxPlatform) -> None:
    unknown = await cpo.call("PATCH", names.SESSIONS, R, "NL/CPA/S1", body={"kwh": 2, "last_updated": LATER})
    assert (unknown.status, unknown.status_code) == (404, 2001)
    await cpo.call("PUT", names.SESSIONS, R, "NL/CPA/S1", body=objects.session("NL/CPA", "S1"))
    without_time = await cpo.call("PATCH", names.SESSIONS, R, "NL/CPA/S1", body={"kwh": 2})
    assert (without_time.status, without_time.status_code) == (200, 2001)


async def test_session_patches_append_periods(cpo: SandboxPlatform) -> None:
    await cpo.call("PUT", names.SESSIONS, R, "NL/CPA/S1", body=objects.session("NL/CPA", "S1", kwh="1.10"))
    period = objects.charging_period(LATER, "0.50")
    changes = {"kwh": Decimal("1.60"), "charging_periods": [period], "last_updated": LATER}
    assert (await cpo.call("PATCH", names.SESSIONS, R, "NL/CPA/S1", body=changes)).ok
    stored = await cpo.call("GET", names.SESSIONS, R, "NL/CPA/S1")
    assert [one["dimensions"][0]["volume"] for one in stored.data["charging_periods"]] == [
        Decimal("1.10"),
        Decimal("0.50"),
    ]
    assert b'"kwh":1.60' in stored.body


async def test_tariffs_can_be_deleted(cpo: SandboxPlatform) -> None:
    await cpo.call("PUT", names.TARIFFS, R, "NL/CPA/T1", body=objects.tariff("NL/CPA", "T1"))
    assert (await cpo.call("DELETE", names.TARIFFS, R, "NL/CPA/T1")).ok
    gone = await cpo.call("DELETE", names.TARIFFS, R, "NL/CPA/T1")
    assert (gone.status, gone.status_code) == (404, 2001)


async def test_tokens_are_told_apart_by_type(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    rfid, app = objects.token("NL/EMA", "U1"), objects.token("NL/EMA", "U1", kind="APP_USER")
    assert (await emsp.call("PUT", names.TOKENS, R, "NL/EMA/U1", body=rfid)).status == 201
    assert (await emsp.call("PUT", names.TOKENS, R, "NL/EMA/U1", query="type=APP_USER", body=app)).status == 201
    off = {"valid": False, "last_updated": LATER}
    assert (await emsp.call("PATCH", names.TOKENS, R, "NL/EMA/U1", query="type=APP_USER", body=off)).ok
    assert (await emsp.call("GET", names.TOKENS, R, "NL/EMA/U1")).data["valid"] is True
    assert (await emsp.call("GET", names.TOKENS, R, "NL/EMA/U1", query="type=APP_USER")).data["valid"] is False
    unknown = await emsp.call("GET", names.TOKENS, R, "NL/EMA/U1", query="type=OTHER")
    assert (unknown.status, unknown.status_code) == (404, 2004)
    assert len(cpo.held.all(names.TOKENS)) == 2


@pytest.mark.parametrize("style", [CdrLocation.ABSOLUTE, CdrLocation.RELATIVE])
async def test_a_cdr_can_be_fetched_where_location_says(
    cpo: SandboxPlatform, emsp: SandboxPlatform, style: CdrLocation
) -> None:
    emsp.habits.cdr_location = style
    cdr = objects.cdr("NL/CPA", "CDR1")
    posted = await cpo.call("POST", names.CDRS, R, body=cdr)
    assert posted.status == 201
    assert posted.location is not None
    assert posted.location.startswith(f"{emsp.base_url}/ocpi/2.2.1/r/cdrs/")
    assert posted.headers["Location"].startswith("/" if style is CdrLocation.RELATIVE else "http")
    fetched = await cpo.call("GET", names.CDRS, R, url=posted.location)
    assert fetched.data == cdr
    assert (await cpo.call("GET", names.CDRS, R, "nope")).status == 404


async def test_a_cdr_inbox_may_keep_its_location_to_itself(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.habits.cdr_location = CdrLocation.ABSENT
    posted = await cpo.call("POST", names.CDRS, R, "NL/CPA", body=objects.cdr("NL/CPA"))
    assert (posted.status, posted.location) == (201, None)
    assert (await cpo.call("POST", names.CDRS, R, body=b"[]")).status_code == 2001
    assert len(emsp.held.all(names.CDRS)) == 1


async def test_client_info_of_two_roles_lives_under_one_url(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    for role in (Role.CPO, Role.EMSP):
        info = objects.client_info("FR/DUO", role)
        assert (await emsp.call("PUT", names.HUB_CLIENT_INFO, R, "FR/DUO", body=info)).status == 201
    offline = objects.client_info("FR/DUO", Role.CPO, ConnectionStatus.OFFLINE)
    assert (await emsp.call("PUT", names.HUB_CLIENT_INFO, R, "FR/DUO", body=offline)).status == 200
    assert {one["role"]: one["status"] for one in cpo.held.all(names.HUB_CLIENT_INFO)} == {
        "CPO": "OFFLINE",
        "EMSP": "CONNECTED",
    }
    assert (await emsp.call("GET", names.HUB_CLIENT_INFO, R, "FR/DUO")).data["country_code"] == "FR"
    assert (await emsp.call("GET", names.HUB_CLIENT_INFO, R, "FR/NOP")).status == 404
    assert (await emsp.call("PUT", names.HUB_CLIENT_INFO, R, "FR/NOP", body=offline)).status_code == 2001
    assert (await emsp.call("GET", names.HUB_CLIENT_INFO, R, "FR/DUO/CPO")).status == 404


async def test_authorize_knows_its_own_tokens(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.own.put(names.TOKENS, objects.token("NL/EMA", "U1"))
    place = objects.location_references()
    answer = await cpo.call("POST", names.TOKENS, S, "U1/authorize", to="NL/EMA", sender="NL/CPA", body=place)
    assert answer.data["allowed"] == "ALLOWED"
    assert answer.data["token"]["uid"] == "U1"
    assert answer.data["location"] == place
    assert answer.data["authorization_reference"]

    without_body = await cpo.call("POST", names.TOKENS, S, "u1/authorize", query="type=RFID")
    assert without_body.ok
    assert "location" not in without_body.data
    assert emsp.received[-1].body == b""
    for tail, query in (("U1/authorize", "type=APP_USER"), ("FFFF/authorize", "")):
        unknown = await cpo.call("POST", names.TOKENS, S, tail, query=query)
        assert (unknown.status, unknown.status_code) == (404, 2004)

    emsp.habits.authorize = "BLOCKED"
    emsp.habits.authorize_needs_location = True
    assert (await cpo.call("POST", names.TOKENS, S, "U1/authorize")).status_code == 2002
    assert (await cpo.call("POST", names.TOKENS, S, "U1/authorize", body=place)).data["allowed"] == "BLOCKED"
