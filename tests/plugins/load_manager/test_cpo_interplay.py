"""What CPOs, charge points and drivers do while they are steered."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from hub.ocpi import times
from hub.ocpi.names import SESSIONS, Interface
from hub.sandbox import objects
from hub.sandbox.results import ResultMode
from hub.testing import CPO, EMSP, assert_plugin, bench
from plugins.load_manager import LoadManager
from plugins.rate_limit import RateLimit
from tests.plugins.load_manager.area import area

GLM = "NL/GLM"


async def test_it_is_a_plugin_as_plugins_should_be() -> None:
    await assert_plugin(LoadManager)


async def test_its_party_is_there_from_the_start_whatever_stands_before_it() -> None:
    async with bench(RateLimit, LoadManager) as b:
        assert (await b.admin("GET", "/alarms")).json["items"] == []


async def test_scenario_22_who_arrives_is_let_up_after_the_others_came_down() -> None:
    async with area() as a:
        await a.location([32, 32])
        await a.consent(default_current_a=6)
        await a.group(22, arrival_reserve_kw=Decimal("4.14"))
        await a.session("S1", "E1")
        await a.wait(60)
        assert a.told() == {"S1": Decimal("25.8")}
        assert await a.booked_kw() == Decimal("17.802")
        a.b.cpo.received.clear()
        a.b.cpo.results.mode = ResultMode.HELD
        await a.session("S2", "E2")
        await a.wait(20)
        assert a.told() == {"S1": Decimal("15.9")}
        assert [one.tail for one in a.puts()] == ["S1"]
        assert await a.booked_kw() == Decimal("21.942")
        a.b.cpo.results.release()
        await a.wait(2)
        assert [one.tail for one in a.puts()] == ["S1", "S2"]
        assert a.told() == {"S1": Decimal("15.9"), "S2": Decimal("15.9")}
        assert await a.booked_kw() == Decimal("21.942")
        a.b.cpo.results.release()
        await a.wait(2)
        assert await a.booked_kw() == 2 * Decimal("10.971")


async def test_a_session_told_to_the_party_alone_is_steered() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(10)
        body = objects.session("NL/CPO", "S1", driver=EMSP, last_updated=a.now)
        told = await a.b.cpo.call("PUT", SESSIONS, Interface.RECEIVER, "NL/CPO/S1", to=GLM, sender=CPO, body=body)
        assert told.status_code == 1000
        others = await a.b.cpo.call("PUT", SESSIONS, Interface.RECEIVER, "NL/XXX/S1", to=GLM, sender=CPO, body=body)
        assert others.status_code == 2001
        await a.wait(10)
        assert a.told() == {"S1": Decimal("14.4")}


async def test_a_session_at_an_evse_without_a_group_is_alarmed() -> None:
    async with area() as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(10)
        await a.session("S1", "E1")
        await a.session("S7", "E7", location_id="LOC7")

        async def standing() -> list[tuple[str, str]]:
            alarms = (await a.admin("GET", "/alarms"))["items"]
            return [
                (one["subject"], one["text"]) for one in alarms if one["kind"] == "evse_unmapped" and one["standing"]
            ]

        await a.wait(60)
        ((subject, text),) = await standing()
        assert subject == "NL/CPO"
        assert "EVSE E7 of location LOC7" in text
        await a.session("S7", "E7", location_id="LOC7", status="COMPLETED")
        await a.wait(60)
        assert await standing() == []


async def test_a_session_found_by_asking_is_steered() -> None:
    async with area(pull_s=60) as a:
        await a.location([16, 16])
        await a.consent()
        await a.group(10)
        a.b.cpo.own.put(SESSIONS, objects.session("NL/CPO", "S1", driver=EMSP, last_updated=a.now))
        await a.wait(70)
        assert a.told() == {"S1": Decimal("14.4")}


async def test_scenario_24_a_lower_limit_of_the_charge_point_leaves_more_for_others() -> None:
    async with area() as a:
        await a.location([16] * 3)
        await a.consent()
        await a.group(30)
        await a.sessions(3)
        await a.wait(70)
        profile = {"charging_rate_unit": "A", "charging_profile_period": [{"start_period": 0, "limit": Decimal("6.0")}]}
        start = times.render(a.now)
        pushed = await a.b.cpo.push_active_profile("S1", {"start_date_time": start, "charging_profile": profile})
        assert pushed.status_code == 1000
        await a.wait(90)
        told = a.told()
        assert (told["S2"], told["S3"]) == (Decimal("16.0"), Decimal("16.0"))

        await a.b.cpo.push_active_profile("S1", _flat(a.now, Decimal("14.4")))
        await a.wait(5)
        told = a.told()
        assert (told["S2"], told["S3"]) == (Decimal("14.4"), Decimal("14.4"))


async def test_what_a_cpo_did_not_take_is_counted_beyond_the_session_and_a_restart() -> None:
    async with area() as a:
        await a.location([16, 16, 16], one_phase=["E3"])
        await a.consent()
        await a.group(6)

        async def refusals() -> dict[str, tuple[int, int, int]]:
            report = await a.admin("GET", "/grid/cpos/NL/CPO/sessions")
            return {one["model"]: (one["rejected"], one["too_often"], one["timed_out"]) for one in report["refusals"]}

        assert await refusals() == {}
        a.b.cpo.profiles.response = "TOO_OFTEN"
        await a.session("S1", "E1")
        a.b.cpo.profiles.response = "ACCEPTED"
        a.b.cpo.results.mode = ResultMode.NEVER
        await a.session("S2", "E2")
        await a.wait(40)
        a.b.cpo.results.mode = ResultMode.AT_ONCE
        a.b.cpo.profiles.response = "REJECTED"
        await a.session("S3", "E3")
        counted = await refusals()
        assert counted["AC 1 phase 16 A"] == (2, 0, 0)  # then it is left alone
        assert counted["AC 3 phases 16 A"][1:] == (1, 1)
        for number in (1, 2, 3):
            await a.session(f"S{number}", f"E{number}", status="COMPLETED")
        assert await refusals() == counted
        await a.b.restart()
        assert await refusals() == counted


async def test_a_group_that_is_deleted_releases_its_sessions() -> None:
    async with area() as a:
        await a.location([16] * 2)
        await a.consent()
        await a.group(20)
        await a.sessions(2)
        await a.wait(70)
        assert len(a.told()) == 2
        await a.group(20, status=200, members=[])
        await a.admin("DELETE", "/grid/groups/G1", status=204)
        await a.wait(60)
        assert a.told() == {}


async def test_a_driver_whose_need_may_be_missed_can_be_told_so() -> None:
    async with area() as a:
        await a.location([16] * 2)
        await a.consent(allow_pause=False)
        await a.group("11.04")
        await a.sessions(2)
        for session_id, need_kwh, hours in (("S1", 20, 2), ("S2", 10, 10)):
            a.b.cpo.own.put(SESSIONS, objects.session("NL/CPO", session_id, driver=EMSP, last_updated=a.now))
            departure = times.render(a.now + timedelta(hours=hours))
            wish = {"profile_type": "REGULAR", "departure_time": departure, "energy_need": need_kwh}
            path = f"{session_id}/charging_preferences"
            answer = await a.b.emsp.call("PUT", SESSIONS, Interface.SENDER, path, to=CPO, sender=EMSP, body=wish)
            assert answer.data == "ACCEPTED"
        await a.wait(60)
        first = await a.admin("GET", "/grid/sessions/NL/CPO/S1")
        assert (first["limit_kw"], first["need_kwh"], first["need_may_be_missed"]) == (Decimal("6.9"), 20, True)
        assert first["expected_kwh"] == pytest.approx(first["energy_kwh"] + Decimal("13.8"), abs=Decimal("0.2"))
        assert first["reason"].startswith("limited to 6.9 kW (10.0 A): group G1 is limited to 11.04 kW")
        second = await a.admin("GET", "/grid/sessions/nl/cpo/s2")
        assert (second["need_may_be_missed"], second["expected_kwh"]) == (False, second["energy_kwh"] + 10)
        await a.admin("GET", "/grid/sessions/NL/CPO/S9", status=404)


def _flat(now: datetime, amperes: Decimal) -> dict[str, object]:
    periods = [{"start_period": 0, "limit": amperes}]
    profile = {"charging_rate_unit": "A", "charging_profile_period": periods}
    return {"start_date_time": times.render(now), "charging_profile": profile}
