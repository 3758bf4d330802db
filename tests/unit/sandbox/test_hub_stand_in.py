"""What platforms do with a hub between them, played with a simulated one: publish, resync, report who is behind it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from hub.clock import ManualClock
from hub.ocpi import names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.sandbox import Listing, SandboxPlatform, objects
from hub.sandbox.world import fixture_world

S, R = Interface.SENDER, Interface.RECEIVER
INFO = names.HUB_CLIENT_INFO


@pytest.fixture
async def peer() -> AsyncIterator[SandboxPlatform]:
    async with fixture_world(only=["H2"]) as world:
        yield world["H2"]


@pytest.fixture
async def cpo(peer: SandboxPlatform) -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Cpo", [(Role.CPO, "NL", "CPA"), (Role.CPO, "BE", "CPB")]) as platform:
        assert (await platform.register(peer.versions_url, peer.issue_token())).ok
        peer.received.clear()
        yield platform


@pytest.fixture
async def emsp(peer: SandboxPlatform) -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Emsp", [(Role.EMSP, "NL", "EMA")]) as platform:
        assert (await platform.register(peer.versions_url, peer.issue_token())).ok
        peer.received.clear()
        yield platform


async def test_publishing_is_a_put_to_the_hub_from_the_owner(cpo: SandboxPlatform, peer: SandboxPlatform) -> None:
    location = objects.location("BE/CPB", "LOC/1")
    assert (await cpo.publish(names.LOCATIONS, location)).status == 201
    (one,) = peer.received
    assert (one.method, one.tail, one.query) == ("PUT", "BE/CPB/LOC%2F1", "")
    assert (str(one.to), str(one.sender)) == ("BE/HB2", "BE/CPB")
    assert one.data == location
    assert cpo.own.all(names.LOCATIONS) == peer.held.all(names.LOCATIONS) == [location]
    await cpo.publish(names.TARIFFS, objects.tariff("NL/CPA"), to="ES/CPS")
    assert str(peer.received[-1].to) == "ES/CPS"


async def test_a_published_token_names_its_type_unless_it_is_rfid(emsp: SandboxPlatform, peer: SandboxPlatform) -> None:
    await emsp.publish(names.TOKENS, objects.token("NL/EMA", "U1"))
    await emsp.publish(names.TOKENS, objects.token("NL/EMA", "U1", kind="APP_USER"))
    assert [one.query for one in peer.received] == ["", "type=APP_USER"]
    assert len(peer.held.all(names.TOKENS)) == 2


async def test_publishing_to_a_platform_that_is_no_hub_names_nobody() -> None:
    async with (
        SandboxPlatform("Emsp", [(Role.EMSP, "NL", "EMA")]) as emsp,
        SandboxPlatform("Cpo", [(Role.CPO, "NL", "CPA")]) as cpo,
    ):
        assert (await cpo.publish(names.TARIFFS, objects.tariff("NL/CPA"))).failure == "not registered"
        assert (await cpo.register(emsp.versions_url, emsp.issue_token())).ok
        assert (await cpo.publish(names.TARIFFS, objects.tariff("NL/CPA"))).ok
        assert emsp.received[-1].to is None


async def test_after_a_resync_one_holds_what_the_list_holds(emsp: SandboxPlatform, peer: SandboxPlatform) -> None:
    for number in range(5):
        peer.own.put(names.LOCATIONS, objects.location("ES/CPS", f"L{number}"))
    peer.own.put(names.LOCATIONS, objects.location("ES/OTR", "L9"))
    emsp.held.put(names.LOCATIONS, objects.location("ES/CPS", "GONE"))
    emsp.held.put(names.LOCATIONS, objects.location("ES/CPS", "L1") | {"name": "Old"})
    peer.habits.page_limit = 2
    crawl = await emsp.resync(names.LOCATIONS, sender="NL/EMA")
    assert crawl.complete
    assert emsp.held.all(names.LOCATIONS) == peer.own.all(names.LOCATIONS)
    assert {(str(one.to), str(one.sender)) for one in peer.received} == {("BE/HB2", "NL/EMA")}


async def test_a_resync_with_one_owner_leaves_the_others(emsp: SandboxPlatform, peer: SandboxPlatform) -> None:
    peer.own.put(names.LOCATIONS, objects.location("ES/CPS", "L1"))
    for owner in ("ES/CPS", "ES/OTR"):
        emsp.held.put(names.LOCATIONS, objects.location(owner, "OLD"))
    assert (await emsp.resync(names.LOCATIONS, to="es/cps")).complete
    assert [(one["party_id"], one["id"]) for one in emsp.held.all(names.LOCATIONS)] == [("OTR", "OLD"), ("CPS", "L1")]
    assert (await emsp.resync(names.LOCATIONS, to="BE/HB2")).complete
    assert [one["id"] for one in emsp.held.all(names.LOCATIONS)] == ["L1"]


async def test_a_resync_by_date_only_adds_and_replaces(emsp: SandboxPlatform, peer: SandboxPlatform) -> None:
    peer.own.put(names.TARIFFS, objects.tariff("ES/CPS", "OLD", last_updated="2026-01-01T00:00:00Z"))
    peer.own.put(names.TARIFFS, objects.tariff("ES/CPS", "NEW", last_updated="2026-02-01T00:00:00Z"))
    emsp.held.put(names.TARIFFS, objects.tariff("ES/CPS", "KEPT"))
    assert (await emsp.resync(names.TARIFFS, query="date_from=2026-01-15T00:00:00Z")).complete
    assert [one["id"] for one in emsp.held.all(names.TARIFFS)] == ["KEPT", "NEW"]


@pytest.mark.parametrize("broken", ["at the second page", "without end"])
async def test_a_broken_resync_changes_nothing(emsp: SandboxPlatform, peer: SandboxPlatform, broken: str) -> None:
    for number in range(3):
        peer.own.put(names.LOCATIONS, objects.location("ES/CPS", f"L{number}"))
    emsp.held.put(names.LOCATIONS, objects.location("ES/CPS", "OLD"))
    peer.habits.page_limit = 1
    if broken == "at the second page":
        peer.faults.on(names.LOCATIONS, times=1).delay(0)
        peer.faults.on(names.LOCATIONS).answer(500)
    else:
        peer.habits.listing = Listing.LOOPING
    crawl = await emsp.resync(names.LOCATIONS)
    assert not crawl.complete
    assert len(crawl.pages) > 1
    assert [one["id"] for one in emsp.held.all(names.LOCATIONS)] == ["OLD"]


async def test_a_hub_lists_who_is_behind_it(emsp: SandboxPlatform, peer: SandboxPlatform) -> None:
    answer = await emsp.call("GET", INFO, S)
    (row,) = answer.data
    assert {key: row[key] for key in ("country_code", "party_id", "role", "status")} == {
        "country_code": "ES",
        "party_id": "CPS",
        "role": "CPO",
        "status": "CONNECTED",
    }


async def test_requests_for_parties_behind_a_hub_are_taken(cpo: SandboxPlatform, peer: SandboxPlatform) -> None:
    peer.own.put(names.LOCATIONS, objects.location("ES/CPS", "L1"))
    assert (await cpo.call("GET", names.LOCATIONS, S, "L1", to="ES/CPS")).data["id"] == "L1"
    assert (await cpo.call("GET", names.LOCATIONS, S, "L1", to="BE/HB2")).data["id"] == "L1"
    refused = await cpo.call("GET", names.LOCATIONS, S, "L1", to="ES/NOP")
    assert (refused.status, refused.status_code) == (200, 2001)
    peer.reporting.note("ES/NOP")
    assert (await cpo.call("GET", names.LOCATIONS, S, "L1", to="ES/NOP")).status == 404


async def test_a_hub_reports_changes_to_another() -> None:
    clock = ManualClock(datetime(2026, 5, 1, tzinfo=UTC))
    async with (
        SandboxPlatform("H2", [(Role.HUB, "BE", "HB2")], clock=clock) as one,
        fixture_world(only=["H2"]) as world,
    ):
        assert (await one.register(world["H2"].versions_url, world["H2"].issue_token())).ok
        assert (await one.report("ES/NEW", Role.EMSP)).status == 201
        assert (await one.report("es/new", Role.EMSP, ConnectionStatus.OFFLINE)).status == 200
        put = world["H2"].received.of(INFO, R, "PUT")[0]
        assert (put.tail, put.to, put.sender) == ("ES/NEW", None, None)
        assert put.data["last_updated"].startswith("2026-05-01T00:00:00")
        (listed,) = one.own.all(INFO)
        assert listed["status"] == "OFFLINE"
        (held,) = world["H2"].held.all(INFO)
        assert held == listed
