"""Commands and charging profiles: the verdict at once, the result to `response_url` when and how the test says."""

from urllib.parse import quote

import pytest

from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import ResultMode, SandboxPlatform, objects
from hub.sandbox.endpoints import CALLBACK
from hub.sandbox.objects import Object

S, R = Interface.SENDER, Interface.RECEIVER
URL = "http://127.0.0.1:1/unused"


@pytest.mark.parametrize(
    ("command", "body"),
    [
        ("START_SESSION", objects.start_session(URL)),
        ("STOP_SESSION", objects.stop_session(URL)),
        ("RESERVE_NOW", objects.reserve_now(URL)),
        ("CANCEL_RESERVATION", objects.cancel_reservation(URL)),
        ("UNLOCK_CONNECTOR", objects.unlock_connector(URL)),
    ],
)
async def test_each_command_is_answered_twice(
    cpo: SandboxPlatform, emsp: SandboxPlatform, command: str, body: Object
) -> None:
    body = body | {"response_url": emsp.url(names.COMMANDS, S, f"{command}/1")}
    answer = await emsp.call("POST", names.COMMANDS, R, command, to="NL/CPA", sender="NL/EMA", body=body)
    assert answer.data == {"result": "ACCEPTED", "timeout": 30}
    result = await emsp.wait_for(names.COMMANDS, S, "POST")
    assert result.tail == f"{command}/1"
    assert result.data == {"result": "ACCEPTED"}
    assert (result.to, result.sender) == (PartyId("NL", "EMA"), PartyId("NL", "CPA"))
    assert result.correlation_id != cpo.received[-1].correlation_id
    assert (await cpo.results.wait_sent()).ok
    assert cpo.results.owed == 0


async def test_a_callback_url_of_any_shape(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    body = objects.start_session(emsp.callback_url("abc?id=1"))
    await emsp.call("POST", names.COMMANDS, R, "START_SESSION", to="NL/CPA", sender="NL/EMA", body=body)
    result = await emsp.wait_for(CALLBACK)
    assert (result.target, result.tail) == ("/cb/abc?id=1", "abc")
    assert (await cpo.call("GET", names.COMMANDS, S, url=emsp.callback_url("abc"))).status == 405
    wrong = {"Authorization": "Token nope"}
    assert (await cpo.call("POST", names.COMMANDS, S, url=emsp.callback_url("abc"), headers=wrong)).status == 401


async def test_only_an_accepted_command_owes_a_result(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    cpo.commands.responses["STOP_SESSION"] = "UNKNOWN_SESSION"
    cpo.commands.timeout_s = 5
    cpo.commands.results_of["START_SESSION"] = {"result": "EVSE_OCCUPIED"}
    stop = objects.stop_session(emsp.callback_url("stop"))
    answer = await emsp.call("POST", names.COMMANDS, R, "STOP_SESSION", body=stop)
    assert answer.data == {"result": "UNKNOWN_SESSION", "timeout": 5}
    assert cpo.results.owed == 0
    start = objects.start_session(emsp.callback_url("start"))
    await emsp.call("POST", names.COMMANDS, R, "START_SESSION", body=start)
    assert (await emsp.wait_for(CALLBACK)).data == {"result": "EVSE_OCCUPIED"}
    assert len(emsp.received.of(CALLBACK)) == 1


async def test_results_are_held_until_released(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    cpo.results.mode = ResultMode.HELD
    for number in (1, 2):
        body = objects.stop_session(emsp.callback_url(str(number)))
        await emsp.call("POST", names.COMMANDS, R, "STOP_SESSION", body=body)
    assert cpo.results.owed == 2
    assert emsp.received.of(CALLBACK) == []
    cpo.results.release()
    await emsp.wait_for(CALLBACK, count=2)
    await emsp.call("POST", names.COMMANDS, R, "STOP_SESSION", body=objects.stop_session(emsp.callback_url("3")))
    assert cpo.results.owed == 1
    await cpo.stop()  # what is still held is given up without a word
    assert len(emsp.received.of(CALLBACK)) == 2


async def test_results_may_never_come(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    cpo.results.mode = ResultMode.NEVER
    body = objects.stop_session(emsp.callback_url("1"))
    assert (await emsp.call("POST", names.COMMANDS, R, "STOP_SESSION", body=body)).ok
    assert cpo.results.owed == 0


async def test_a_reservation_can_be_cancelled_later(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    body = objects.reserve_now(emsp.callback_url("r1"))
    await emsp.call("POST", names.COMMANDS, R, "RESERVE_NOW", to="NL/CPA", sender="NL/EMA", body=body)
    await emsp.wait_for(CALLBACK)
    reserve = cpo.received.of(names.COMMANDS)[0]
    answer = await cpo.send_result(reserve, {"result": "CANCELED_RESERVATION"})
    assert answer.ok
    second = await emsp.wait_for(CALLBACK, count=2)
    assert second.data == {"result": "CANCELED_RESERVATION"}
    assert second.sender == PartyId("NL", "CPA")


async def test_a_command_without_response_url_is_2001(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    answer = await emsp.call("POST", names.COMMANDS, R, "STOP_SESSION", body={"session_id": "S1"})
    assert answer.status_code == 2001
    broken = await emsp.call("POST", names.COMMANDS, R, "STOP_SESSION", body=b"{")
    assert (broken.status, broken.status_code) == (400, 2000)
    assert cpo.results.owed == 0


async def test_a_result_that_cannot_be_delivered_is_an_answer_too(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    await emsp.call("POST", names.COMMANDS, R, "STOP_SESSION", body=objects.stop_session(URL))
    answer = await cpo.results.wait_sent()
    assert answer.status == 0
    assert answer.failure is not None


async def test_a_profile_is_set_read_and_cleared(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    encoded = quote(emsp.callback_url("cp?id=1"), safe="")
    query = f"duration=900&response_url={encoded}"

    unknown = await emsp.call("GET", names.CHARGING_PROFILES, R, "S1", query=query, to="NL/CPA", sender="NL/EMA")
    assert unknown.data == {"result": "ACCEPTED", "timeout": 30}
    first = await emsp.wait_for(CALLBACK)
    assert first.target == "/cb/cp?id=1"
    assert first.data == {"result": "UNKNOWN"}

    body = objects.set_charging_profile(emsp.callback_url("set"), "16.0")
    assert (await emsp.call("PUT", names.CHARGING_PROFILES, R, "S1", body=body, to="NL/CPA", sender="NL/EMA")).ok
    assert (await emsp.wait_for(CALLBACK, count=2)).data == {"result": "ACCEPTED"}
    assert cpo.profiles.applied["S1"].setter == PartyId("NL", "EMA")

    await emsp.call("GET", names.CHARGING_PROFILES, R, "S1", query=query, to="NL/CPA", sender="NL/EMA")
    read = await emsp.wait_for(CALLBACK, count=3)
    assert read.data["result"] == "ACCEPTED"
    assert read.data["profile"]["charging_profile"] == objects.charging_profile("16.0")

    clear = f"response_url={emsp.callback_url('clear')}"  # not encoded, as some send it
    await emsp.call("DELETE", names.CHARGING_PROFILES, R, "S1", query=clear, to="NL/CPA", sender="NL/EMA")
    assert (await emsp.wait_for(CALLBACK, tail="clear")).data == {"result": "ACCEPTED"}
    assert cpo.profiles.applied == {}


async def test_profiles_can_be_refused(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    body = objects.set_charging_profile(emsp.callback_url("set"))
    cpo.profiles.response = "TOO_OFTEN"
    assert (await emsp.call("PUT", names.CHARGING_PROFILES, R, "S1", body=body)).data["result"] == "TOO_OFTEN"
    assert cpo.results.owed == 0
    cpo.profiles.response, cpo.profiles.result = "ACCEPTED", "REJECTED"
    await emsp.call("PUT", names.CHARGING_PROFILES, R, "S1", body=body)
    assert (await emsp.wait_for(CALLBACK)).data == {"result": "REJECTED"}
    assert cpo.profiles.applied == {}
    nothing = {"response_url": emsp.callback_url("set")}
    assert (await emsp.call("PUT", names.CHARGING_PROFILES, R, "S1", body=nothing)).status_code == 2001
    assert (await emsp.call("DELETE", names.CHARGING_PROFILES, R, "S1")).status_code == 2001


async def test_profiles_of_a_single_session_can_be_refused(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    body = objects.set_charging_profile(emsp.callback_url("set"))
    cpo.profiles.responses["S1"] = "REJECTED"
    said = {
        session: (await emsp.call("PUT", names.CHARGING_PROFILES, R, session, body=body)).data["result"]
        for session in ("S1", "S2")
    }
    assert said == {"S1": "REJECTED", "S2": "ACCEPTED"}
    await emsp.wait_for(CALLBACK)
    assert list(cpo.profiles.applied) == ["S2"]


async def test_the_setter_of_a_profile_hears_of_changes(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    body = objects.set_charging_profile(emsp.callback_url("set"))
    await emsp.call("PUT", names.CHARGING_PROFILES, R, "S1", to="NL/CPA", sender="NL/EMA", body=body)
    active = objects.active_charging_profile("10.0")
    answer = await cpo.push_active_profile("S1", active)
    assert answer.ok
    assert "data" not in (answer.envelope or {})
    pushed = await emsp.wait_for(names.CHARGING_PROFILES, S, "PUT")
    assert (pushed.to, pushed.sender) == (PartyId("NL", "EMA"), PartyId("NL", "CPA"))
    assert emsp.profiles.active["S1"] == active
    with pytest.raises(KeyError):
        await cpo.push_active_profile("S2")


async def test_a_scsp_sets_profiles_too(cpo: SandboxPlatform) -> None:
    async with SandboxPlatform("Service", [(Role.SCSP, "NL", "SCS")]) as service:
        assert (await service.register(cpo.versions_url, cpo.issue_token())).ok
        body = objects.set_charging_profile(service.url(names.CHARGING_PROFILES, S, "S1"))
        await service.call("PUT", names.CHARGING_PROFILES, R, "S1", to="NL/CPA", sender="NL/SCS", body=body)
        assert (await service.wait_for(names.CHARGING_PROFILES, S, "POST")).data == {"result": "ACCEPTED"}
        assert (await cpo.push_active_profile("S1")).ok
        assert service.profiles.active["S1"]["charging_profile"] == body["charging_profile"]
