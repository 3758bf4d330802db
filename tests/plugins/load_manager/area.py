"""A hub that steers: a bench with the load manager, EVSEs of the bench's CPO in a group, and what the CPO was told."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hub.ocpi import times
from hub.ocpi.names import CHARGING_PROFILES, LOCATIONS, SESSIONS, Interface
from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.received import Received
from hub.testing import CPO, EMSP, HUB, Bench, BenchClock, bench
from plugins.load_manager import LoadManager

FULL = Decimal("16.0")
R, S = Interface.RECEIVER, Interface.SENDER
OPEN = {"margin": 0, "arrival_reserve_kw": 0}
STEP_S = 3.0  # with a renewal every two seconds, a term of the duty that lasts six outlives it


def moment(clock: str) -> datetime:
    """A time on the day of the bench, such as `12:05` or `12:05:30`."""
    return datetime.fromisoformat(f"2026-01-01T{clock}").replace(tzinfo=UTC)


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

    async def location(
        self,
        evses: Sequence[int],
        location_id: str = "LOC1",
        one_phase: Collection[str] = (),
        *,
        cpo: SandboxPlatform | None = None,
    ) -> None:
        """A location with an EVSE E1, E2 and so on, of so many amperes on three phases each, or on one."""
        cpo = cpo or self.b.cpo
        owner = cpo.parties[0]
        body = objects.location(owner, location_id, evses=len(evses))
        for evse, amperes in zip(body["evses"], evses, strict=True):
            evse["connectors"][0]["max_amperage"] = amperes
            if evse["uid"] in one_phase:
                evse["connectors"][0]["power_type"] = "AC_1_PHASE"
        path = f"{owner}/{location_id}"
        answer = await cpo.call("PUT", LOCATIONS, R, path, to=HUB, sender=owner, body=body)
        assert answer.status_code == 1000
        await self.b.settle()

    async def consent(self, party: PartyId = CPO, **settings: object) -> None:
        body = {"consent": True, "reference": "contract 1"} | settings
        await self.admin("PUT", f"/grid/cpos/{party}", body)
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

    async def session(
        self,
        session_id: str,
        evse: str,
        *,
        status: str = "ACTIVE",
        cpo: SandboxPlatform | None = None,
        **changes: object,
    ) -> Answer:
        """The CPO pushes a session of the eMSP's driver."""
        cpo = cpo or self.b.cpo
        owner = cpo.parties[0]
        body = objects.session(owner, session_id, driver=EMSP, status=status, last_updated=self.now)
        body |= {"evse_uid": evse, "start_date_time": times.render(self.now)} | changes
        path = f"{owner}/{session_id}"
        answer = await cpo.call("PUT", SESSIONS, R, path, to=EMSP, sender=owner, body=body)
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

    def periods(self, session_id: str) -> list[tuple[int, Decimal]]:
        """The periods of the profile that the CPO has for a session: seconds from its start, amperes."""
        periods = self.profile(session_id)["charging_profile_period"]
        return [(one["start_period"], Decimal(one["limit"])) for one in periods]

    def profile(self, session_id: str) -> Mapping[str, Any]:
        """The profile that the CPO has for a session."""
        return self.b.cpo.profiles.applied[session_id].profile

    async def wish(self, session_id: str, **wish: object) -> None:
        """The driver says through the eMSP what is wanted, and the CPO accepts it."""
        self.b.cpo.own.put(SESSIONS, objects.session("NL/CPO", session_id, driver=EMSP, last_updated=self.now))
        path = f"{session_id}/charging_preferences"
        body = {"profile_type": "REGULAR"} | wish
        answer = await self.b.emsp.call("PUT", SESSIONS, S, path, to=CPO, sender=EMSP, body=body)
        assert answer.data == "ACCEPTED"
        await self.b.settle()

    async def view(self, group_id: str = "G1") -> Any:
        """A group as operators see it."""
        return await self.admin("GET", f"/grid/groups/{group_id}")

    async def state(self, group_id: str = "G1") -> str:
        view: Mapping[str, str] = await self.view(group_id)
        return view["state"]

    async def booked_kw(self) -> Decimal:
        """What may be drawn in the group, whatever becomes of all that is under way."""
        return Decimal((await self.view())["booked_kw"])

    def metric(self, name: str) -> float:
        """What a metric of the load manager without labels says now."""
        samples = (sample for metric in self.b.hub.metrics.collect() for sample in metric.samples)
        return next(one.value for one in samples if one.name == f"ocpi_hub_plugin_load_manager_{name}")

    async def wait(self, seconds: float) -> None:
        """Lets time pass, from one moment at which somebody wakes to the next."""
        await self.b.clock.advance(seconds)
        await self.b.settle()

    async def until(self, clock: str) -> None:
        """The same, until a time of the day."""
        await self.wait((moment(clock) - self.now).total_seconds())

    async def stride(self, clock: str) -> None:
        """Lets time pass until a time of the day, in steps as long as the term of who steers allows: minutes in a
        fraction of the real time that `until` takes.
        """
        await self.stride_for((moment(clock) - self.now).total_seconds())

    async def stride_for(self, seconds: float) -> None:
        """The same for so long."""
        while seconds > 0:
            await self.b.clock.jump(min(STEP_S, seconds))
            await self.b.settle()
            seconds -= STEP_S

    async def oversleep(self, clock: str) -> None:
        """Lets time pass in one leap and a few steps: who steers loses its term, takes it up again and goes on."""
        leap_s = (moment(clock) - self.now).total_seconds() - 10
        if leap_s > 0:
            await self.b.clock.jump(leap_s)
        await self.until(clock)


def _now(profile: Mapping[str, Any], now: datetime) -> Decimal:
    start = times.parse(profile["start_date_time"])
    assert start is not None
    assert "duration" not in profile
    passed_s = (now - start).total_seconds()
    limits = [one["limit"] for one in profile["charging_profile_period"] if one["start_period"] <= passed_s]
    return Decimal(limits[-1])


@asynccontextmanager
async def area(begin: str = "00:00", **config: object) -> AsyncIterator[Area]:
    """A hub that steers, with the connection to its CPO; `begin` is the time of the day."""
    async with bench(LoadManager, config={"load_manager": config}, clock=BenchClock(moment(begin))) as b:
        await b.settle()
        yield Area(b)
        assert b.failures == {}
