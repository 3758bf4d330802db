"""What a peer hub's own list says, and how its reports are stored (R-037 to R-044, R-204)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hub import app
from hub.app import RunningHub
from hub.broker.alarms import Alarm
from hub.broker.peers import REFRESH_S
from hub.clock import ManualClock
from hub.domain.platform import Platform
from hub.ocpi import headers, names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.token import TokenEncoding, authorization
from hub.sandbox import LinkStyle, Listing, SandboxPlatform, objects
from hub.sandbox.world import World
from tests.conformance.speaking import said
from tests.conformance.trouble import Trouble, is_away
from tests.hubs import id_of, invite, meeting, register, role, settled, test_settings
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
INFO = names.HUB_CLIENT_INFO
PARTIES = {"ES/CPS", "ES/AAA", "ES/BBB", "PT/CCC", "PT/DDD"}


class Scene(NamedTuple):
    """A hub whose clock stands still until it is moved, P2, and H2 with five parties behind it."""

    hub: RunningHub
    world: World
    clock: ManualClock

    @property
    def peer(self) -> Platform:
        platform = self.hub.registry.snapshot.platform(id_of(self.hub, "H2"))
        assert platform is not None
        return platform

    @property
    def known(self) -> set[str]:
        return {str(one.party) for one in self.peer.reported}

    @property
    def alarm(self) -> Alarm | None:
        """The alarm about the list."""
        return next((one for one in self.hub.alarms.newest_first if one.kind == "peer_list_failed"), None)

    @property
    def asked(self) -> int:
        """How many pages the hub has read."""
        return len(self.world["H2"].received.of(INFO, S))

    async def is_due(self) -> None:
        """The list is due, and has been asked for."""
        asked = self.asked
        await self.clock.jump(REFRESH_S + 1)
        await until(lambda: self.asked > asked)

    async def is_read(self, times: int = 1) -> None:
        """The list is due and has been read, or could not be, so often."""
        for _ in range(times):
            await self.is_due()
            await until(lambda: self.hub.peers.quiet)
            await settled(self.hub)

    def told(self, tail: str) -> list[str]:
        return [one.data["status"] for one in self.world["P2"].received.of(INFO, R, "PUT", tail)]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    clock = ManualClock()
    # Platforms are silent for hours here; nobody is to be probed because of it.
    settings = test_settings(tmp_path, alive_check_interval=1e6)
    with (tmp_path / "legs.log").open("wb") as legs:
        async with (
            app.running(settings, legs_to=legs, clock=clock) as hub,
            meeting(hub, only=["P2", "H2"]) as world,
        ):
            for party in sorted(PARTIES - {"ES/CPS"}):
                world["H2"].reporting.note(party)
            scene = Scene(hub, world, clock)
            await scene.is_read()
            assert scene.known == PARTIES
            world.forget_received()
            yield scene


@pytest.mark.parametrize("style", LinkStyle)
async def test_every_page_is_read(scene: Scene, style: LinkStyle) -> None:
    h2 = scene.world["H2"]
    h2.habits.page_limit, h2.habits.link_style = 2, style
    h2.reporting.note("IT/NEW", Role.EMSP)
    await scene.is_read()
    assert scene.known == {*PARTIES, "IT/NEW"}
    pages = h2.received.of(INFO, S)
    assert len(pages) == 3
    for page in pages:
        assert page.headers[headers.AUTHORIZATION] == "Token b3V0LUgyLWNkMDg="
        assert page.request_id
        assert page.correlation_id
        assert not [name for name in page.headers if name.lower().startswith("ocpi-")]
    assert scene.told("IT/NEW") == ["CONNECTED"]
    assert scene.alarm is None


async def test_what_the_list_lacks_is_gone(scene: Scene) -> None:
    h2 = scene.world["H2"]
    for info in list(h2.own.all(names.HUB_CLIENT_INFO)):
        if info["country_code"] == "PT":
            h2.own.remove(INFO, info)
    h2.reporting.note("ES/AAA", status=ConnectionStatus.OFFLINE)
    await scene.is_read()
    assert scene.known == {"ES/CPS", "ES/AAA", "ES/BBB"}
    assert [scene.told(party) for party in ("PT/CCC", "PT/DDD", "ES/AAA", "ES/BBB")] == [
        ["SUSPENDED"],
        ["SUSPENDED"],
        ["OFFLINE"],
        [],
    ]
    answer = await scene.world["P2"].call("GET", INFO, S)
    assert {row["party_id"] for row in answer.data} == {"HB2", "CPS", "AAA", "BBB"}


async def test_hubs_and_our_own_party_in_a_list_are_passed_over(scene: Scene) -> None:
    h2 = scene.world["H2"]
    for party, kind in (("PT/HB3", Role.HUB), ("NL/HUB", Role.HUB), ("nl/hub", Role.CPO), ("ES/NEW", Role.CPO)):
        h2.reporting.note(party, kind)
    await scene.is_read()
    assert scene.known == {*PARTIES, "ES/NEW"}
    assert scene.alarm is None


@pytest.mark.parametrize("listing", [one for one in Listing if one is not Listing.SOUND])
async def test_a_list_that_cannot_be_believed_removes_nobody(scene: Scene, listing: Listing) -> None:
    h2 = scene.world["H2"]
    for info in list(h2.own.all(names.HUB_CLIENT_INFO)):
        if info["party_id"] == "DDD":
            h2.own.remove(INFO, info)
    h2.habits.page_limit, h2.habits.listing = 2, listing
    await scene.is_read(2)
    assert scene.alarm is None  # what fails once or twice is no matter for an operator
    await scene.is_read(1)
    assert scene.alarm is not None
    assert scene.alarm.standing
    assert scene.known == PARTIES
    assert not scene.world["P2"].received.of(INFO)
    h2.habits.listing = Listing.SOUND
    await scene.is_read()
    assert scene.known == PARTIES - {"PT/DDD"}
    assert not scene.alarm.standing


@pytest.mark.parametrize(
    "link", ['<http://127.0.0.2:1/next>; rel="next"', "<http://[>; rel=next", '<https://elsewhere.test/>; rel="next"']
)
async def test_links_lead_to_registered_hosts_alone(scene: Scene, link: str) -> None:
    body = b'{"data":[],"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
    scene.world["H2"].faults.on(INFO, S).answer(200, body, {headers.LINK: link})
    await scene.is_read(3)
    assert scene.alarm is not None
    assert scene.known == PARTIES


async def test_it_is_tried_again_soon_and_then_ever_more_seldom(scene: Scene) -> None:
    fault = scene.world["H2"].faults.on(INFO, S).answer(500)
    await scene.is_due()
    for pause_s, attempts in ((0.5, 2), (2, 3), (9, 3), (1, 4), (59, 4), (2, 5)):
        await scene.clock.jump(pause_s)
        await until(lambda attempts=attempts: fault.hits == attempts)  # type: ignore[misc]
        await settled(scene.hub)
    await until(lambda: scene.alarm is not None)
    assert scene.known == PARTIES
    await scene.hub.operations.remove(id_of(scene.hub, "H2"))
    await until(lambda: scene.alarm is not None and not scene.alarm.standing)


async def test_a_report_during_the_reading_is_not_lost(scene: Scene) -> None:
    h2 = scene.world["H2"]
    go_on = asyncio.Event()
    body = await _list(h2)
    h2.faults.on(INFO, S).delay(go_on)
    await scene.is_due()
    await scene.clock.jump(5)
    assert (await h2.report("ES/CPS", status=ConnectionStatus.OFFLINE)).ok
    assert (await h2.report("ES/NEW")).status == 201
    h2.faults.clear()
    h2.own.forget(INFO)
    for info in body:
        h2.own.put(INFO, info)  # the list as it was before
    go_on.set()
    await settled(scene.hub)
    await scene.clock.jump(1)
    await settled(scene.hub)
    assert scene.known == {*PARTIES, "ES/NEW"}
    assert {one.status for one in scene.peer.reported if one.party_id == "CPS"} == {ConnectionStatus.OFFLINE}


async def _list(platform: SandboxPlatform) -> list[objects.Object]:
    return [dict(one) for one in platform.own.all(INFO)]


async def test_a_thousand_reports_at_once_cost_a_few_writes(scene: Scene) -> None:
    h2 = scene.world["H2"]
    names_of_them = [f"IT/{number:03X}" for number in range(1000)]
    before = scene.peer.revision
    answers = await asyncio.gather(*(h2.report(name) for name in names_of_them))
    assert {said(answer) for answer in answers} == {(201, 1000)}
    assert {*PARTIES, *names_of_them} == scene.known
    assert scene.peer.revision - before < 100


async def test_a_stale_report_is_answered_and_changes_nothing(scene: Scene) -> None:
    h2 = scene.world["H2"]
    await scene.clock.jump(60)
    assert said(await h2.report("ES/CPS", status=ConnectionStatus.OFFLINE)) == (200, 1000)
    old = objects.client_info("ES/CPS", last_updated="2026-01-01T00:00:00Z")
    revision = scene.peer.revision
    assert said(await h2.call("PUT", INFO, R, "ES/CPS", body=old)) == (200, 1000)
    assert scene.peer.revision == revision
    read = await h2.call("GET", INFO, R, "ES/CPS")
    assert read.data["status"] == "OFFLINE"


async def test_a_report_is_answered_when_it_is_stored(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    h2 = scene.world["H2"]
    trouble = Trouble(scene.hub, monkeypatch)
    trouble.starts(is_away)
    answers = await asyncio.gather(*(h2.report(f"IT/A{number}") for number in range(5)))
    assert {said(answer) for answer in answers} == {(200, 3000)}
    assert scene.known == PARTIES
    trouble.ends()
    assert said(await h2.report("IT/A1")) == (201, 1000)
    assert scene.known == {*PARTIES, "IT/A1"}
    await scene.hub.registry.load()
    assert scene.known == {*PARTIES, "IT/A1"}


@pytest.mark.parametrize(
    ("roles", "shown"),
    [([], True), (["HUB:BE:HB9"], True), (["CPO:ES:NEW"], False), (["CPO:ES:NEW", "HUB:BE:HB9"], True)],
)
async def test_who_may_become_a_hub_is_shown_where_to_report(scene: Scene, roles: list[str], shown: bool) -> None:
    token = await invite(scene.hub, "H9", [role(text) for text in roles])
    carried = {headers.AUTHORIZATION: authorization(token, TokenEncoding.BASE64)}
    url = scene.hub.identity.version_url("2.2.1")
    details = await scene.world["H2"].call("GET", "", None, url=url, headers=carried)
    rows = [(row["identifier"], row["role"]) for row in details.data["endpoints"]]
    assert ((INFO, "RECEIVER") in rows) is shown
    assert (INFO, "SENDER") in rows


async def test_who_has_not_registered_yet_or_is_suspended_reports_nothing(scene: Scene) -> None:
    h2 = scene.world["H2"]
    url = f"{scene.hub.settings.public_url}/ocpi/2.2.1/receiver/hubclientinfo/ES/NEW"
    token = await invite(scene.hub, "H9")
    carried = {headers.AUTHORIZATION: authorization(token, TokenEncoding.BASE64)}
    body = objects.client_info("ES/NEW")
    assert said(await h2.call("PUT", "", None, url=url, headers=carried, body=body)) == (404, 2000)
    assert said(await h2.call("PUT", "", None, url=url, headers={headers.AUTHORIZATION: None}, body=body)) == (
        401,
        2000,
    )
    await scene.hub.operations.suspend(id_of(scene.hub, "H2"))
    assert said(await h2.report("ES/NEW")) == (403, 2000)


@pytest.mark.parametrize("tail", ["", "ES", "ES/CPS/more", "/CPS", "ES/"])
async def test_what_is_no_path_of_a_report(scene: Scene, tail: str) -> None:
    url = f"{scene.hub.settings.public_url}/ocpi/2.2.1/receiver/hubclientinfo/{tail}"
    assert said(await scene.world["H2"].call("GET", "", None, url=url)) == (404, 2000)


async def test_a_large_or_foreign_body_is_no_report(scene: Scene) -> None:
    h2 = scene.world["H2"]
    large = objects.client_info("ES/NEW") | {"x": "x" * 20_000}
    assert (await h2.call("PUT", INFO, R, "ES/NEW", body=large)).status == 413
    for body in (b"", b"[]", b'"x"', b'{"party_id":"\xff"}'):
        answer = await h2.call("PUT", INFO, R, "ES/NEW", body=body)
        assert said(answer) in ((400, 2000), (200, 2001)), body
    assert scene.known == PARTIES


async def test_a_party_in_two_roles_is_two_reports(scene: Scene) -> None:
    h2 = scene.world["H2"]
    await scene.clock.jump(60)
    assert said(await h2.report("ES/CPS", Role.EMSP, ConnectionStatus.OFFLINE)) == (201, 1000)
    await settled(scene.hub)
    pushes = scene.world["P2"].received.of(INFO, R, "PUT", "ES/CPS")
    assert [(one.data["role"], one.data["status"]) for one in pushes] == [("EMSP", "OFFLINE")]
    answer = await scene.world["P2"].call("GET", INFO, S)
    rows = {(row["role"], row["status"]) for row in answer.data if row["party_id"] == "CPS"}
    assert rows == {("CPO", "CONNECTED"), ("EMSP", "OFFLINE")}


async def test_one_that_stops_being_a_hub_leads_to_nobody(scene: Scene) -> None:
    h2 = scene.world["H2"]
    assert (await h2.update(roles=[(Role.CPO, "BE", "HB2")])).ok
    await until(lambda: scene.told("ES/CPS") == ["SUSPENDED"])
    answer = await scene.world["P2"].call("GET", INFO, S)
    assert [(row["role"], row["party_id"]) for row in answer.data] == [("CPO", "HB2")]
    async with SandboxPlatform("P9", [(Role.CPO, "ES", "CPS")]) as platform:
        await register(scene.hub, platform)
        await until(lambda: scene.told("ES/CPS")[1:] == ["CONNECTED"])
