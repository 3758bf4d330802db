"""What plugins see of each kind of exchange, in which order, and what becomes of their verdicts."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.app import RunningHub
from hub.ocpi import codec, headers, names
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.plugin import Answer, Change, Kind, Narrow, Phase, Reject, Reroute, Skip, Take
from hub.sandbox import objects
from hub.sandbox.world import World
from tests.hubs import id_of, settled
from tests.plugins.hosting import get_location, hosting, incarnation, put_location, put_session, running
from tests.plugins.watching import Everything
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
BEFORE = ["received", "routed"]
LEG = ["forwarding", "answered"]


class Stage:
    def __init__(self, hub: RunningHub, world: World) -> None:
        self.hub = hub
        self.world = world
        self.plugin = running(hub, Everything)

    async def over(self, count: int = 1) -> list[str]:
        """The steps seen, once so many exchanges are over."""
        await until(lambda: len(self.plugin.exchanges) >= count)
        return self.plugin.steps


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with hosting(tmp_path, Everything, only=("P1", "P2", "P3", "P4", "P6")) as (hub, world):
        made = Stage(hub, world)
        made.plugin.clear()
        yield made


async def test_direct(stage: Stage) -> None:
    await put_session(stage.world)
    assert await stage.over() == [*BEFORE, *LEG, "finished"]
    (seen,) = stage.plugin.exchanges
    assert (seen.kind, seen.module, seen.interface, seen.method) == (Kind.DIRECT, "sessions", R, "PUT")
    assert (str(seen.sender), str(seen.to), str(seen.owner), seen.object_id) == ("NL/CPA", "NL/EMA", "NL/CPA", "S1")
    assert (seen.platform, seen.path) == (id_of(stage.hub, "P1"), "NL/CPA/S1")
    assert seen.request.value["id"] == "S1"
    assert (seen.http, seen.status_code, seen.outcome) == (201, 1000, "relayed")
    (leg,) = seen.legs
    assert (str(leg.receiver), leg.platform, leg.http, leg.outcome) == (
        "NL/EMA",
        id_of(stage.hub, "P2"),
        201,
        "relayed",
    )
    assert "status_code" in seen.answer.value


async def test_a_receiver_that_is_away_is_answered_too(stage: Stage) -> None:
    stage.hub.liveness.offline.add(id_of(stage.hub, "P2"))
    assert (await put_session(stage.world)).status_code == 4003
    assert await stage.over() == [*BEFORE, "answered", "finished"]
    assert stage.plugin.exchanges[0].legs[0].status_code == 4003


async def test_broadcast(stage: Stage) -> None:
    await put_location(stage.world)
    await stage.over()
    (seen,) = stage.plugin.exchanges
    assert seen.kind is Kind.BROADCAST
    parties = {str(leg.receiver) for leg in seen.legs}
    assert parties == {str(one) for one in seen.receivers}
    assert len(parties) == 4
    assert sorted(stage.plugin.steps) == sorted([*BEFORE, *LEG * 4, "finished"])
    assert stage.plugin.steps[-1] == "finished"  # after the last leg


async def test_get_all_and_one_object_of_the_hub(stage: Stage) -> None:
    await put_location(stage.world)
    await stage.over()
    stage.plugin.clear()
    await stage.world["P2"].call("GET", names.LOCATIONS, S, "", to="NL/HUB", sender="NL/EMA")
    assert await stage.over() == [*BEFORE, "answered", "finished"]
    assert stage.plugin.exchanges[0].kind is Kind.GET_ALL
    assert stage.plugin.exchanges[0].answer.value["data"][0]["id"] == "LOC1"


async def test_open_routing(stage: Stage) -> None:
    await put_location(stage.world)
    await settled(stage.hub)
    stage.plugin.clear()
    await stage.world["P2"].call("GET", names.LOCATIONS, S, "LOC1", sender="NL/EMA")
    assert await stage.over() == [*BEFORE, *LEG, "finished"]
    (seen,) = stage.plugin.exchanges
    assert (seen.kind, seen.to) == (Kind.OPEN, None)
    assert [str(one) for one in seen.receivers] == ["NL/CPA"]


async def test_a_command_and_its_result(stage: Stage) -> None:
    p2 = stage.world["P2"]
    body = {"response_url": p2.callback_url("c1"), "session_id": "S1"}
    await p2.call("POST", names.COMMANDS, R, "STOP_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
    await stage.over(2)
    command, result = stage.plugin.exchanges
    assert (command.kind, result.kind) == (Kind.DIRECT, Kind.CALLBACK)
    assert stage.plugin.steps == [*BEFORE, *LEG, "finished", *BEFORE, "result", *LEG, "finished"]
    (seen,) = stage.plugin.results
    assert (seen.operation, seen.correlation_id) == ("STOP_SESSION", command.correlation_id)
    assert (str(seen.issuer), str(seen.receiver)) == ("NL/EMA", "NL/CPA")
    assert seen.body.value["result"] == "ACCEPTED"


async def test_what_is_refused_is_over_once(stage: Stage) -> None:
    world = stage.world
    unknown = await world["P2"].call("GET", names.LOCATIONS, S, "L", to="XX/YYY", sender="NL/EMA")
    assert unknown.status_code == 4001
    await world["P2"].call("PUT", names.SESSIONS, R, "NL/CPA/S1", to="NL/CPA", sender="NL/EMA", body=b"not json")
    stranger = {headers.AUTHORIZATION: "Token bm9ib2R5LWtub3dzLWl0"}
    await world["P2"].call("GET", names.LOCATIONS, S, "L", to="NL/CPA", sender="NL/EMA", headers=stranger)
    await world["P2"].call("TRACE", names.LOCATIONS, S, "L", to="NL/CPA", sender="NL/EMA")
    await stage.over(4)
    seen = [(one.http, one.status_code, one.kind) for one in stage.plugin.exchanges]
    assert seen == [(200, 4001, None), (400, 2000, None), (401, 2000, None), (405, 2000, None)]
    assert stage.plugin.exchanges[2].platform is None


async def test_configuration_modules_are_seen_once_without_bodies_or_tokens(tmp_path: Path) -> None:
    async with hosting(tmp_path, Everything) as (hub, world):
        plugin = running(hub, Everything)
        await world["P2"].update()
        await until(lambda: any(one.module == "credentials" for one in plugin.configuration))
        for one in plugin.configuration:
            assert one.request.absent
            assert one.answer.absent
            assert one.headers.get("Authorization") is None
            assert one.headers.get("X-Request-ID") is not None


VERDICTS: list[tuple[Phase, Any, tuple[int, str | None], list[str]]] = [
    (Phase.RECEIVED, Reject(2001, "no"), (2001, "no"), ["received"]),
    (Phase.RECEIVED, Reject(2000, "slow down", http=429), (2000, "slow down"), ["received"]),
    (Phase.RECEIVED, Answer(data=[1]), (1000, "Success"), ["received"]),
    (Phase.ROUTED, Reject(2002, "no"), (2002, "no"), BEFORE),
    (Phase.ROUTED, Answer(message="mine"), (1000, "mine"), BEFORE),
    (Phase.ROUTED, Narrow([]), (4001, None), BEFORE),
    (Phase.ROUTED, Reroute(PartyId("XX", "YYY")), (4001, None), BEFORE),
    (Phase.ROUTED, Take(Answer()), (4000, None), BEFORE),
    (Phase.FORWARDING, Reject(2003, "no"), (2003, "no"), [*BEFORE, *LEG]),
    (Phase.FORWARDING, Skip("it is closed"), (4000, "Not forwarded: it is closed"), [*BEFORE, *LEG]),
    (Phase.ANSWERED, Reject(2004, "no"), (2004, "no"), [*BEFORE, *LEG]),
    (Phase.ANSWERED, Change({"status_code": 1001, "timestamp": "2026-01-01T00:00:00Z"}), (1001, None), [*BEFORE, *LEG]),
]


@pytest.mark.parametrize(("phase", "verdict", "said", "steps"), VERDICTS)
async def test_verdicts(
    stage: Stage, phase: Phase, verdict: Any, said: tuple[int, str | None], steps: list[str]
) -> None:
    stage.plugin.verdicts[phase] = verdict
    answer = await put_session(stage.world)
    assert (answer.status_code, answer.status_message) == said or said[1] is None
    assert answer.status_code == said[0]
    assert answer.status == (429 if getattr(verdict, "http", 200) == 429 else answer.status)
    assert await stage.over() == [*steps, "finished"]
    sent = bool(stage.world["P2"].received)
    assert sent is (phase is Phase.ANSWERED)


async def test_headers_of_a_leg_and_of_an_answer(stage: Stage) -> None:
    stage.plugin.verdicts[Phase.FORWARDING] = Change(headers={"traceparent": "00-abc"})
    stage.plugin.verdicts[Phase.ANSWERED] = Change(headers={"X-Seen": "yes"})
    answer = await put_session(stage.world)
    (leg,) = stage.world["P2"].received
    assert leg.headers["traceparent"] == "00-abc"
    assert answer.headers["X-Seen"] == "yes"
    assert codec.loads(leg.body) == codec.loads(codec.dumps(objects.session("NL/CPA", "S1")))


@pytest.mark.parametrize("name", ["Authorization", "OCPI-to-party-id", "X-Request-ID", "Content-Length", "a b"])
async def test_headers_that_are_the_hubs_own(stage: Stage, name: str) -> None:
    stage.plugin.verdicts[Phase.FORWARDING] = Change(headers={name: "x"})
    assert (await put_session(stage.world)).status_code == 1000
    (leg,) = stage.world["P2"].received
    assert leg.headers[headers.AUTHORIZATION] != "x"
    assert leg.headers[headers.TO_PARTY] == "EMA"
    assert incarnation(stage.hub, Everything).guard.standing.timing("on_forwarding").failures == 1


async def test_a_header_cannot_hold_a_second_line(stage: Stage) -> None:
    stage.plugin.verdicts[Phase.ANSWERED] = Change(headers={"X-Seen": "yes\r\nSet-Cookie: a=b"})
    answer = await put_session(stage.world)
    assert answer.status_code == 1000
    assert "Set-Cookie" not in answer.headers


async def test_a_changed_result(stage: Stage) -> None:
    stage.plugin.verdicts[Phase.RESULT] = Change({"result": "REJECTED"})
    p2 = stage.world["P2"]
    body = {"response_url": p2.callback_url("c1"), "session_id": "S1"}
    await p2.call("POST", names.COMMANDS, R, "STOP_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
    await stage.over(2)
    (result,) = [one for one in p2.received if one.path.endswith("c1")]
    assert codec.loads(result.body) == {"result": "REJECTED"}


async def test_skipped_and_changed_legs_of_a_broadcast(stage: Stage) -> None:
    stage.plugin.verdicts[Phase.FORWARDING] = Skip()
    assert (await put_location(stage.world)).status_code == 1000
    await stage.over()
    assert {leg.outcome for leg in stage.plugin.exchanges[0].legs} == {"plugin"}
    assert not any(platform.received for platform in stage.world)
    stage.plugin.clear()
    changed = objects.location("NL/CPA", "LOC2") | {"name": "changed on its way"}
    stage.plugin.verdicts[Phase.FORWARDING] = Change(changed)
    await put_location(stage.world, "LOC2")
    await stage.over()
    bodies = [codec.loads(one.body)["name"] for one in stage.world["P2"].received.of(names.LOCATIONS, R, "PUT")]
    assert bodies == ["changed on its way"] * 2
    held = await stage.plugin.hub.held("locations", PartyId("NL", "CPA"), "LOC2")
    assert held is not None
    assert b"changed on its way" not in held.raw  # the catalog has what the owner sent


async def test_a_list_narrowed_to_some_owners(stage: Stage) -> None:
    await put_location(stage.world)
    await settled(stage.hub)
    stage.plugin.verdicts[Phase.ROUTED] = Narrow([PartyId("FR", "DUO")])
    listed = await stage.world["P2"].call("GET", names.LOCATIONS, S, "", to="NL/HUB", sender="NL/EMA")
    assert listed.data == []


async def test_a_location_is_got_as_usual_where_nobody_says_anything(stage: Stage) -> None:
    assert (await get_location(stage.world)).status_code == 2003
    assert await stage.over() == [*BEFORE, *LEG, "finished"]
