"""What is looked at now and then: powers of groups for the metrics, and sessions that no group has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from math import isnan

from plugins.load_manager.grid.group import Member
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge import cpo_settings
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.oscp import CapacityProviders
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.steering.surveying import UNMAPPED, Surveying
from plugins.load_manager.steering.watching import Watching
from tests.unit.plugins.load_manager.grid.grids import group
from tests.unit.plugins.load_manager.knowledge.telling import ABC, NOON, at, known_site, period, put
from tests.unit.plugins.load_manager.oscp.socket_hub import Told
from tests.unit.plugins.load_manager.steering.scenes import scene_with, seen
from tests.unit.plugins.small_hub import SmallHub

ALARM = (UNMAPPED, str(ABC))


@dataclass
class Survey:
    """LOC1 is in group T1, and its CPO has consented."""

    hub: SmallHub
    known: Known
    scene: Scene
    surveying: Surveying

    async def alarm(self) -> str | None:
        """What stands after a survey."""
        await self.surveying.survey()
        return self.hub.alarms.get(ALARM)


@asynccontextmanager
async def surveyed(*members: Member) -> AsyncIterator[Survey]:
    async with SmallHub(at(10)) as hub:
        known = known_site(evses=2)
        watching = Watching(hub, CapacityProviders(hub, Told(), ""))
        scene = scene_with(known, [group("T1", None, *(members or (Member(ABC, "LOC1"),)))], NOON)
        yield Survey(hub, known, scene, Surveying(hub, scene, watching))


async def test_a_session_that_no_group_has_is_alarmed_until_none_is_left() -> None:
    async with surveyed() as s:
        put(s.known, 0, "S1")
        assert await s.alarm() is None
        put(s.known, 0, "S2", location_id="LOC2", evse_uid="E7")
        assert await s.alarm() == (
            "A session runs where no group of the grid limits anything: at EVSE E7 of location LOC2 of NL/ABC,"
            " for example"
        )
        put(s.known, 1, "S3", location_id="LOC3")
        told = await s.alarm()
        assert told is not None
        assert told.startswith("2 sessions run where")
        put(s.known, 2, "S2", location_id="LOC2", evse_uid="E7", status="COMPLETED")
        assert await s.alarm() == told  # who has acknowledged it is left in peace while it gets no worse
        assert s.hub.sounded == [ALARM, ALARM]
        put(s.known, 2, "S3", location_id="LOC3", status="COMPLETED")
        assert await s.alarm() is None


async def test_whoever_has_not_consented_is_nobodys_concern() -> None:
    async with surveyed() as s:
        s.known.cpos.change(ABC, cpo_settings.NO_CONSENT)
        put(s.known, 0, "S2", location_id="LOC2")
        assert await s.alarm() is None


async def test_an_evse_beside_those_of_a_group_is_alarmed_and_one_that_nobody_named_is_not() -> None:
    async with surveyed(Member(ABC, "LOC1", "E1")) as s:
        put(s.known, 0, "S1", evse_uid="#NA")
        put(s.known, 0, "S2", location_id="#NA")
        assert await s.alarm() is None
        put(s.known, 0, "S3", evse_uid="E2")
        assert "EVSE E2 of location LOC1" in (await s.alarm() or "")


async def test_the_alarm_goes_with_the_duty_and_with_the_last_group() -> None:
    async with surveyed() as s:
        put(s.known, 0, "S2", location_id="LOC2")
        assert await s.alarm()
        s.surveying.end()
        assert s.hub.alarms == {}
        assert await s.alarm()
        s.scene.regroup(GridModel(), NOON)
        assert await s.alarm() is None


async def test_what_groups_draw_is_a_metric_while_somebody_knows() -> None:
    async with surveyed() as s:
        seen(s.scene, "S1")
        put(s.known, 10, charging_periods=[period(10, POWER="7.5")], kwh=Decimal(0))
        await s.surveying.survey()
        assert s.hub.metrics["measured_kw"].value(group="T1") == 7.5
        assert s.scene.drawn["T1"].power_mw == 7_500_000
        put(s.known, 11, status="COMPLETED")
        await s.surveying.survey()
        assert isnan(s.hub.metrics["measured_kw"].value(group="T1"))
