"""A hub that steers: a bench with the load manager, EVSEs of the bench's CPO in a group, and what the CPO was told."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.ocpi import times
from hub.ocpi.names import CHARGING_PROFILES, LOCATIONS, SESSIONS, Interface
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.received import Received
from hub.testing import CPO, EMSP, Bench, bench
from hub.testing.benches import HUB
from plugins.load_manager import LoadManager

R, S = Interface.RECEIVER, Interface.SENDER
OPEN = {"margin": 0, "arrival_reserve_kw": 0}


class Area:
    """What tests do with it."""

    def __init__(self, b: Bench) -> None:
        self.b = b

    @property
    def now(self) -> datetime:
        return self.b.clock.now()

    async def admin(self, method: str, path: str, body: object = None, *, status: int = 200) -> Any:
        answer = await self.b.admin(method, path, body)
        assert answer.status == status, (answer.status, answer.json)
        return answer.json

    async def location(self, evses: Sequence[int], location_id: str = "LOC1", one_phase: Collection[str] = ()) -> None:
        """A location with an EVSE E1, E2 and so on, of so many amperes on three phases each, or on one."""
        body = objects.location("NL/CPO", location_id, evses=len(evses))
        for evse, amperes in zip(body["evses"], evses, strict=True):
            evse["connectors"][0]["max_amperage"] = amperes
            if evse["uid"] in one_phase:
                evse["connectors"][0]["power_type"] = "AC_1_PHASE"
        path = f"NL/CPO/{location_id}"
        answer = await self.b.cpo.call("PUT", LOCATIONS, R, path, to=HUB, sender=CPO, body=body)
        assert answer.status_code == 1000
        await self.b.settle()

    async def consent(self, **settings: object) -> None:
        body = {"consent": True, "reference": "contract 1"} | settings
        await self.admin("PUT", "/grid/cpos/NL/CPO", body)
        await self.b.settle()

    async def group(self, kw: float | str, group_id: str = "G1", status: int = 201, **settings: object) -> None:
        member = {"country_code": "NL", "party_id": "CPO", "location_id": "LOC1"}
        body = {"static_capacity_kw": Decimal(str(kw)), "members": [member]} | OPEN | settings
        await self.admin("PUT", f"/grid/groups/{group_id}", body, status=status)
        await self.b.settle()

    async def limit(self, kw: float | str, minutes: int = 24 * 60, group_id: str = "G1") -> None:
        """The operator's limit from now on."""
        end = times.render(self.now + timedelta(minutes=minutes))
        body = {"limit_kw": Decimal(str(kw)), "end": end}
        await self.admin("POST", f"/grid/groups/{group_id}/limit", body, status=201)
        await self.b.settle()

    async def session(self, session_id: str, evse: str, *, status: str = "ACTIVE", **changes: object) -> Answer:
        """The CPO pushes a session of the eMSP's driver."""
        body = objects.session("NL/CPO", session_id, driver=EMSP, status=status, last_updated=self.now)
        body |= {"evse_uid": evse, "start_date_time": times.render(self.now)} | changes
        path = f"NL/CPO/{session_id}"
        answer = await self.b.cpo.call("PUT", SESSIONS, R, path, to=EMSP, sender=CPO, body=body)
        await self.b.settle()
        return answer

    async def sessions(self, count: int) -> None:
        for number in range(1, count + 1):
            await self.session(f"S{number}", f"E{number}")

    def puts(self) -> list[Received]:
        """Profiles that the CPO was told, oldest first."""
        return self.b.cpo.received.of(CHARGING_PROFILES, R, "PUT")

    async def emsp(self, method: str, session_id: str, amperes: Decimal | None = None) -> Answer:
        """The eMSP sets or clears a profile of a session."""
        url = self.b.emsp.callback_url(f"{method}-{session_id}")
        body: object = None
        query = ""
        if amperes is None:
            query = f"response_url={url}"
        else:
            periods = [{"start_period": 0, "limit": amperes}]
            profile = {"charging_rate_unit": "A", "charging_profile_period": periods}
            body = {"charging_profile": profile, "response_url": url}
        answer = await self.b.emsp.call(
            method, CHARGING_PROFILES, R, session_id, to=CPO, sender=EMSP, body=body, query=query
        )
        await self.b.settle()
        return answer

    def results(self) -> list[Any]:
        """What the eMSP was told of what came of its profiles."""
        return [one.data for one in self.b.emsp.received.of(method="POST")]

    def told(self) -> dict[str, Decimal]:
        """The newest limit in amperes at each session, as the CPO has it now."""
        applied = self.b.cpo.profiles.applied
        return {one: _now(applied[one].profile, self.now) for one in sorted(applied)}

    async def state(self, group_id: str = "G1") -> str:
        view: Mapping[str, str] = await self.admin("GET", f"/grid/groups/{group_id}")
        return view["state"]

    async def wait(self, seconds: float) -> None:
        await self.b.clock.advance(seconds)
        await self.b.settle()


def _now(profile: Mapping[str, Any], now: datetime) -> Decimal:
    start = times.parse(profile["start_date_time"])
    assert start is not None
    assert "duration" not in profile
    passed_s = (now - start).total_seconds()
    limits = [one["limit"] for one in profile["charging_profile_period"] if one["start_period"] <= passed_s]
    return Decimal(limits[-1])


@asynccontextmanager
async def area(**config: object) -> AsyncIterator[Area]:
    """A hub that steers, with the connection to its CPO."""
    async with bench(LoadManager, config={"load_manager": config}) as b:
        await b.settle()
        yield Area(b)
        assert b.failures == {}
