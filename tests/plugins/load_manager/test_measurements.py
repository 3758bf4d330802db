"""What groups were given, as DSOs hear it and as it is shown."""

from decimal import Decimal
from typing import Any

from hub.ocpi import times
from hub.sandbox.dso import SandboxDso
from tests.plugins.load_manager.area import Area, area, moment
from tests.plugins.load_manager.dso import A_DAY_S, says, with_dso


class Meter:
    """Sessions by the energy that they have had."""

    def __init__(self, a: Area) -> None:
        self._a = a
        self._began: dict[str, str] = {}

    async def shows(self, session: str, evse: str, kwh: str, status: str = "ACTIVE") -> None:
        began = self._began.setdefault(session, times.render(self._a.now))
        await self._a.session(session, evse, status=status, kwh=Decimal(kwh), start_date_time=began)


async def reported(dso: SandboxDso) -> Any:
    """The one measurement of the next report."""
    (measurement,) = (await dso.wait_for("update_group_measurements")).data["measurements"]
    dso.received.clear()
    return measurement


async def test_scenario_29_a_register_that_never_resets_and_the_average_of_a_quarter() -> None:
    async with area("11:44:50") as a, with_dso(a, [16] * 3, heard_for_s=A_DAY_S) as dso:
        meter = Meter(a)
        await a.until("11:45")
        assert (await reported(dso))["value"] == 0
        for session, evse in (("S0", "E3"), ("S1", "E1"), ("S2", "E2")):
            await meter.shows(session, evse, "0.000")
        await a.oversleep("11:59")
        await meter.shows("S0", "E3", "1217.100", "COMPLETED")  # all that came before
        await meter.shows("S1", "E1", "12.400")
        await meter.shows("S2", "E2", "5.000")
        await a.until("12:00")
        assert (await reported(dso))["value"] == Decimal("1234.500")

        await says(a, dso, 30, request_id="F12")
        await meter.shows("S3", "E3", "0.000")
        await a.oversleep("12:14")
        await meter.shows("S1", "E1", "13.150")
        await meter.shows("S2", "E2", "5.900")
        await meter.shows("S3", "E3", "0.350", "COMPLETED")
        await a.until("12:15")
        measurement = await reported(dso)
        assert times.parse(measurement.pop("measure_time")) == moment("12:15")
        assert measurement == {
            "value": Decimal("1236.500"),
            "unit": "KWH",
            "energy_type": "FLEXIBLE",
            "direction": "IMPORT",
            "phase": "ALL",
        }
        (entry,) = (await a.admin("GET", "/grid/activations"))["items"]
        evidence = await a.admin("GET", f"/grid/activations/{entry['id']}.json")
        assert (evidence["message_id"], evidence["derived_share"]) == ("F12", 1)
        (quarter,) = evidence["quarters"]
        assert times.parse(quarter["start"]) == moment("12:00")
        assert (quarter["average_kw"], quarter["known_s"]) == (8, 900)
