"""A site whose limits, EVSEs and cars are told in a few words, planned at moments of one day and read in amperes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any

from hub.ocpi import times
from hub.sandbox import objects
from plugins.load_manager.grid.group import Group, Member
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.grid.power import MW_PER_KW
from plugins.load_manager.knowledge import cpo_settings
from plugins.load_manager.knowledge.keys import SessionKey, session_key
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.knowledge.session import Source
from plugins.load_manager.planning import Circumstances, Decision, Plan, Settings, plan, scale_of
from plugins.load_manager.profiles import StepProfile, second
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.signal import CapacitySignal
from tests.unit.plugins.load_manager.knowledge.telling import ABC
from tests.unit.plugins.load_manager.signals.saying import T1, at, fallback, signal

AC3_16 = {"power_type": "AC_3_PHASE", "max_amperage": 16}
AC3_32 = {"power_type": "AC_3_PHASE", "max_amperage": 32}
AC1_16 = {"power_type": "AC_1_PHASE", "max_amperage": 16}

SITE = replace(T1, members=(Member(ABC, "LOC1"),))
LONG_AGO = at("00:00")
"""Cars that came at no stated time came then: nobody of them was switched on a moment ago."""


def key(name: str) -> SessionKey:
    return session_key(ABC, name)


class Site:
    """EVSEs E1, E2 and so on of these kinds at LOC1, with a session S1, S2 and so on at as many as have cars."""

    def __init__(
        self,
        kinds: Sequence[Mapping[str, object]],
        *groups: Group,
        cars: int | None = None,
        since: datetime = LONG_AGO,
        **agreed: object,
    ) -> None:
        self.model = GridModel(groups or [SITE])
        self.capacities: dict[str, Capacity] = {}
        self.known = Known()
        self.plans: list[Plan] = []
        self._numbers = count(1)
        whole: Any = objects.location(ABC, evses=len(kinds), last_updated=LONG_AGO)
        for evse, kind in zip(whole["evses"], kinds, strict=True):
            evse["connectors"][0] |= kind
        self.known.evses.put_location(ABC, "LOC1", whole, LONG_AGO)
        body = {"consent": True, "reference": "contract 7"} | agreed
        self.known.cpos.change(ABC, cpo_settings.read(body, LONG_AGO))
        for number in range(1, 1 + (len(kinds) if cars is None else cars)):
            self.car(number, since)

    def car(self, number: int, since: datetime, **members: object) -> None:
        """The session S<number> at E<number>, as it stands then."""
        body: Any = objects.session(ABC, f"S{number}", last_updated=since)
        told = {"evse_uid": f"E{number}", "kwh": Decimal(0), "start_date_time": times.render(since)} | members
        self.known.sessions.put(ABC, f"S{number}", body | told, Source.PUSHED, since)

    def wish(self, number: int, now: datetime, profile_type: str = "REGULAR", **wish: object) -> None:
        """A preference that the CPO accepts; the departure as a moment, the need in kWh."""
        name = f"wish {next(self._numbers)}"
        one = self.known.sessions.find(key(f"S{number}"))
        departure = {"departure_time": times.render(wish.pop("departure"))} if "departure" in wish else {}  # type: ignore[arg-type]
        body = {"profile_type": profile_type} | departure | wish
        self.known.preferences.asked(name, key(f"S{number}"), body, one.kwh if one else None, now)
        self.known.preferences.answered(name, "ACCEPTED", now)

    def say(self, *signals: CapacitySignal, group_id: str = "T1", now: str = "12:00") -> None:
        """The capacity provider of the group speaks, after contact was made."""
        group = self.model.groups[group_id]
        capacity = self.capacities.get(group_id) or Capacity.unknown(group, at(now)).contact(group, at(now), 10**12)
        for each in signals:
            capacity = capacity.received(replace(each, group_id=group_id), group, at(now), 10**12)
        self.capacities[group_id] = capacity

    def limit(self, kw: float, group_id: str = "T1", now: str = "12:00") -> None:
        """A limit for the rest of the day, announced before it was in force."""
        self.capacities.pop(group_id, None)
        self.say(signal(f"00:00-23:59 {kw}"), fallback(f"00:00-23:59 {kw}"), group_id=group_id, now=now)

    def plan(self, now: str, *, remember: bool = True, held: Mapping[str, int] | None = None, **options: Any) -> Plan:
        """The plan then, after the last one; `held` in mW by session name."""
        root = next(group.id for group in self.model.groups.values() if group.parent is None)
        booked = {key(name): StepProfile.flat(0, power_mw) for name, power_mw in (held or {}).items()}
        made = plan(
            root,
            self.model,
            self.capacities,
            self.known,
            options.pop("steered", lambda _: True),
            now=at(now),
            epoch=1,
            previous=self.plans[-1] if self.plans and remember else None,
            circumstances=Circumstances(held=booked, **options.pop("circumstances", {})),
            settings=Settings(**options),
        )
        self.plans.append(made)
        return made

    def amperes(self, made: Plan, now: str | None = None) -> list[float]:
        """The limit of every session that charges, in the order of their numbers; inf where there is no profile."""
        moment = made.at if now is None else at(now)
        found = []
        for row in sorted(self.known.rows(made.at), key=lambda row: int(row.session.id[1:])):
            target = made.targets[row.key]
            profile = target if isinstance(target, StepProfile) else None
            found.append(scale_of(row).tenths(profile.at(second(moment))) / 10 if profile else math.inf)
        return found

    def decision(self, made: Plan, number: int) -> Decision:
        return made.decisions[key(f"S{number}")]


def total_mw(made: Plan, now: str | None = None) -> int:
    """What all profiles allow together then."""
    moment = made.at if now is None else at(now)
    return sum(target.at(second(moment)) for target in made.targets.values() if isinstance(target, StepProfile))


def kw(value: float) -> int:
    """In mW."""
    return round(value * MW_PER_KW)
