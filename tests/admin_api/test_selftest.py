"""The self-test: a platform that does everything right passes every line, each thing done wrong fails its own."""

from typing import Any

import pytest

from hub.app import RunningHub
from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import LinkStyle, RoutingAnswer, SandboxPlatform, objects
from tests.admin_api.conftest import Operator

Checks = dict[str, dict[str, Any]]
LISTS = ("locations", "sessions", "cdrs", "tariffs")


async def checks_of(admin: Operator, platform_id: str) -> Checks:
    reply = await admin.post(f"/platforms/{platform_id}/selftest")
    assert reply.status == 200
    checks = reply.body["checks"]
    assert reply.body["ok"] is all(check["ok"] is not False for check in checks)
    assert len({check["name"] for check in checks}) == len(checks)
    return {check["name"]: check for check in checks}


def failed(checks: Checks) -> set[str]:
    return {name for name, check in checks.items() if check["ok"] is False}


def offer_locations(cpo: SandboxPlatform, count: int) -> None:
    for number in range(count):
        cpo.own.put(names.LOCATIONS, objects.location(PartyId("NL", "CPA"), f"LOC{number}"))


async def test_a_good_platform_passes_every_line(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)
    offer_locations(cpo, 3)
    cpo.received.clear()

    checks = await checks_of(admin, platform_id)

    assert failed(checks) == set(), checks
    assert {name for name, check in checks.items() if check["ok"] is None} == {"https"}
    expected = {"versions", "missing token", "wrong token", "credentials roles", "unknown object"}
    assert expected | {f"{module} list" for module in LISTS} <= checks.keys()
    assert checks["locations Link"]["detail"] == "it leads to a registered host"
    # No side effects: nothing but GETs.
    assert {received.method for received in cpo.received} == {"GET"}


async def test_an_emsp_is_asked_for_what_it_has(admin: Operator, emsp: SandboxPlatform) -> None:
    checks = await checks_of(admin, await admin.register(emsp))

    assert failed(checks) == set(), checks
    assert "tokens list" in checks
    assert "locations list" not in checks


async def test_lists_are_asked_in_the_name_of_the_hub(admin: Operator, hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)

    await checks_of(admin, platform_id)

    asked = cpo.received.of(names.SESSIONS, Interface.SENDER)[0]
    assert (asked.sender, asked.to) == (hub.identity.party, PartyId("NL", "CPA"))
    assert "date_from=" in asked.query
    assert "limit=1" in asked.query


async def test_a_platform_that_is_not_registered(admin: Operator) -> None:
    checks = await checks_of(admin, (await admin.invite())["id"])

    assert [(name, check["ok"]) for name, check in checks.items()] == [("registered", None)]


async def test_a_platform_that_is_down(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)
    await cpo.go_dark()

    checks = await checks_of(admin, platform_id)

    assert {"versions", "missing token", "wrong token", "credentials", "locations list"} <= failed(checks)
    assert checks["envelope"]["ok"] is None
    assert checks["version details"]["ok"] is None


@pytest.mark.parametrize(
    ("routing", "told"),
    [(RoutingAnswer.AS_RECEIVED, "not swapped"), (RoutingAnswer.ABSENT, "missing")],
)
async def test_routing_headers_that_come_back_wrong(
    admin: Operator, cpo: SandboxPlatform, routing: RoutingAnswer, told: str
) -> None:
    platform_id = await admin.register(cpo)
    cpo.habits.routing = routing

    checks = await checks_of(admin, platform_id)

    assert failed(checks) == {f"{module} routing headers" for module in LISTS}
    assert told in checks["cdrs routing headers"]["detail"]


async def test_message_ids_that_do_not_come_back(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)
    cpo.habits.echo_ids = False

    checks = await checks_of(admin, platform_id)

    assert failed(checks) == {"message ids", *(f"{module} message ids" for module in LISTS)}


ENVELOPE = b'{"data":%s,"status_code":1000,"timestamp":"%s"}'
PAGES = {"X-Total-Count": "2", "X-Limit": "50"}


@pytest.mark.parametrize(
    ("module", "body", "headers", "lines"),
    [
        (names.VERSIONS, b"<html/>", {}, {"versions", "envelope", "timestamp"}),
        (
            names.VERSIONS,
            b'{"status_code":2001,"timestamp":"2020-01-01T00:00:00Z"}',
            {},
            {"versions", "envelope", "timestamp"},
        ),
        (names.VERSIONS, b'{"data":[],"status_code":1000,"timestamp":"soon"}', {}, {"timestamp", "version in use"}),
        (names.VERSIONS, ENVELOPE % (b"[]", b"2020-01-01T00:00:00Z"), {}, {"timestamp", "version in use"}),
        (names.LOCATIONS, ENVELOPE % (b"{}", b"2020-01-01T00:00:00Z"), PAGES, {"locations page"}),
        (names.LOCATIONS, ENVELOPE % (b"[{},{}]", b"2020-01-01T00:00:00Z"), PAGES, {"locations page"}),
        (
            names.LOCATIONS,
            ENVELOPE % (b"[]", b"2020-01-01T00:00:00Z"),
            {"X-Limit": "many"},
            {"locations X-Total-Count", "locations X-Limit"},
        ),
        (
            names.LOCATIONS,
            ENVELOPE % (b"[{}]", b"2020-01-01T00:00:00Z"),
            {**PAGES, "Link": '<https://elsewhere.example.com/l?offset=1>; rel="next"'},
            {"locations Link"},
        ),
        (names.LOCATIONS, b'{"status_code":3000,"timestamp":"2026-01-01T00:00:00Z"}', PAGES, {"locations list"}),
        (names.CREDENTIALS, ENVELOPE % (b"{}", b"2020-01-01T00:00:00Z"), {}, {"credentials roles"}),
    ],
)
async def test_what_is_answered_wrongly_fails_its_own_line(
    admin: Operator, cpo: SandboxPlatform, module: str, body: bytes, headers: dict[str, str], lines: set[str]
) -> None:
    platform_id = await admin.register(cpo)
    cpo.faults.on(module, method="GET", times=1).answer(200, body, headers)

    found = failed(await checks_of(admin, platform_id))

    assert found == lines


async def test_a_platform_that_lets_everybody_in(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)
    cpo.faults.on(names.VERSIONS).answer(200, b'{"data":[],"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}')

    assert {"missing token", "wrong token"} <= failed(await checks_of(admin, platform_id))


async def test_a_platform_that_knows_what_does_not_exist(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)
    found = b'{"data":{},"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
    cpo.faults.on(names.LOCATIONS, method="GET").answer(200, found, PAGES)

    assert "unknown object" in failed(await checks_of(admin, platform_id))


async def test_roles_that_are_not_those_it_registered(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)
    cpo.roles = [(Role.CPO, "NL", "CPA"), (Role.CPO, "FR", "NEW")]

    checks = await checks_of(admin, platform_id)

    assert checks["credentials roles"]["ok"] is False
    assert "CPO*fr*new" in checks["credentials roles"]["detail"]
    assert "CPO*be*cpb" in checks["credentials roles"]["detail"]


async def test_a_link_may_be_relative(admin: Operator, cpo: SandboxPlatform) -> None:
    platform_id = await admin.register(cpo)
    offer_locations(cpo, 2)
    cpo.habits.link_style = LinkStyle.RELATIVE

    assert (await checks_of(admin, platform_id))["locations Link"]["ok"] is True


async def test_a_slow_platform_does_not_hold_the_test_for_ever(
    admin: Operator, hub: RunningHub, cpo: SandboxPlatform
) -> None:
    """Each request has the hub's deadline for configuration calls."""
    platform_id = await admin.register(cpo)
    cpo.faults.on(names.TARIFFS).hang()

    checks = await checks_of(admin, platform_id)

    assert checks["tariffs list"] == {"name": "tariffs list", "ok": False, "detail": "no answer in time"}
    assert checks["locations list"]["ok"] is True
