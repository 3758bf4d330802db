"""One feeder of the grid in the story: what the hub says of it, and what the cars below it draw."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.ocpi import times
from hub.ocpi.names import CHARGING_PROFILES, Interface
from hub.sandbox.answer import Answer
from hub.sandbox.demo.cast import Player
from hub.sandbox.demo.story import Story
from hub.sandbox.received import Received

GROUP = "FEEDER-7"
LOCATION = "GARAGE1"
CARS = {"CAR1": "E1", "CAR2": "E2", "CAR3": "E3"}

NOMINAL_KW, HALF_KW, FALLBACK_KW = 70, 35, 15
CAR_A = Decimal(32)
KW_PER_A = Decimal("0.69")

_PATIENCE_S = 6.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Stand:
    """How the feeder should stand: its state, the amperes of each car, and how many profiles each was sent so far."""

    state: str
    each_a: Decimal
    told: int


@dataclass(frozen=True, slots=True)
class Reading:
    """The feeder at one moment: the limit and what is given to the cars, by the hub; amperes per car, at the CPO.

    `told` is how many profiles the CPO was sent so far.
    """

    state: str
    limit_kw: Decimal
    given_kw: Decimal
    amperes: tuple[Decimal, ...]
    told: int

    @property
    def drawn_kw(self) -> Decimal:
        """By all cars together, each drawing what it may on three phases."""
        return sum(self.amperes, Decimal(0)) * KW_PER_A

    @property
    def text(self) -> str:
        each = ", ".join(f"{one:.1f} A" for one in self.amperes)
        powers = f"limit {self.limit_kw:.1f} kW, given {self.given_kw:.1f} kW, cars draw {self.drawn_kw:.1f} kW"
        return f"{GROUP} {self.state}: {powers} ({each})"

    def problems(self, stand: Stand) -> tuple[str, ...]:
        """What is not as it should be."""
        told = stand.told * len(CARS)
        claims = {
            f"{GROUP} should be {stand.state}": self.state == stand.state,
            f"each car should have {stand.each_a} A": set(self.amperes) == {stand.each_a},
            f"{told} profiles should have been sent by now, not {self.told}": self.told == told,
            "the cars draw more than the limit": self.drawn_kw <= self.limit_kw,
        }
        return tuple(claim for claim, holds in claims.items() if not holds)


class Feeder:
    """Reads it, and waits for it. What did not come in time once is not waited for again."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._cpo: Player = story.cast.alpha
        self._patience_s = _PATIENCE_S if self._cpo.platform.counterpart is not None else 0.0

    async def put(self, members: list[dict[str, str]], provider_id: str | None) -> Answer:
        """The feeder as the operator of the hub describes it."""
        body = {
            "static_capacity_kw": NOMINAL_KW,
            "fallback_capacity_kw": FALLBACK_KW,
            "margin": 0,
            "arrival_reserve_kw": 0,
            "capacity_provider": provider_id,
            "members": members,
        }
        return await self._story.hub.admin("PUT", f"/grid/groups/{GROUP}", body)

    async def read(self) -> Reading:
        """As it is now. Raises RuntimeError when the hub does not say."""
        answer = await self._story.hub.admin("GET", f"/grid/groups/{GROUP}")
        view = answer.envelope
        if answer.status != 200 or view is None:
            raise RuntimeError(f"the hub says nothing of {GROUP}: HTTP {answer.status} {answer.failure or ''}".rstrip())
        applied, now = self._cpo.platform.profiles.applied, self._story.now()
        return Reading(
            state=view["state"],
            limit_kw=Decimal(view["limit_kw"]),
            given_kw=Decimal(view["allocated_kw"]),
            amperes=tuple(_limit_a(applied[car].profile, now) if car in applied else CAR_A for car in CARS),
            told=len(self._puts()),
        )

    async def become(self, stand: Stand) -> Reading:
        """Waits until it stands like this, all of it planned; as it is in the end when it never does."""
        patient_until_s = self._story.now_s() + self._patience_s
        while True:
            reading = await self.read()
            if not reading.problems(stand) and reading.given_kw >= reading.drawn_kw:
                return reading
            if self._story.now_s() >= patient_until_s:
                self._patience_s = 0.0
                return reading
            await self._story.pause(_POLL_S)

    async def released(self) -> bool:
        """Waits until no car has a profile any more; False when that takes too long."""
        patient_until_s = self._story.now_s() + self._patience_s
        while any(car in self._cpo.platform.profiles.applied for car in CARS):
            if self._story.now_s() >= patient_until_s:
                return False
            await self._story.pause(_POLL_S)
        return True

    def last_told_s(self) -> float:
        """When the CPO got the newest profile for one of the cars, in monotonic seconds; now when it got none."""
        return max((put.at_s for put in self._puts()), default=self._story.now_s())

    def endings_a(self) -> list[Decimal]:
        """What each profile that the CPO applies leaves a car in the end."""
        applied = self._cpo.platform.profiles.applied
        return [Decimal(applied[car].profile["charging_profile_period"][-1]["limit"]) for car in CARS if car in applied]

    def _puts(self) -> list[Received]:
        puts = self._cpo.platform.received.of(CHARGING_PROFILES, Interface.RECEIVER, "PUT")
        return [put for put in puts if put.tail in CARS]


def _limit_a(profile: Mapping[str, Any], now: datetime) -> Decimal:
    """What a profile allows at a moment: the last period that has begun."""
    start = times.parse(profile["start_date_time"])
    passed_s = 0.0 if start is None else (now - start).total_seconds()
    begun = [period["limit"] for period in profile["charging_profile_period"] if period["start_period"] <= passed_s]
    return Decimal(begun[-1] if begun else CAR_A)
