"""Why a plan was as it was, for the operator of the hub: a row for each group, and one for each session; and what those
who did not make the plan read off the rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from hub.ocpi import times
from plugins.load_manager.evidence.writing import Figure
from plugins.load_manager.grid.power import MW_PER_KW, kilowatts, milliwatts
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.planning import Plan, Release
from plugins.load_manager.profiles import StepProfile


@dataclass(frozen=True, slots=True)
class LoggedGroup:
    """What is read of a group: `GroupPlan` says what it means."""

    allocated_mw: int
    next_edge_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """What is read of a session: `Decision` says what it means."""

    sentence: str
    group_id: str | None
    shortfall_kwh: Decimal | None


@dataclass(frozen=True, slots=True)
class LoggedPlan:
    """A plan as far as those need it who look on."""

    groups: Mapping[str, LoggedGroup]
    decisions: Mapping[SessionKey, LoggedDecision]


def read_rows(groups: Iterable[Mapping[str, Figure]], decisions: Iterable[Mapping[str, Figure]]) -> LoggedPlan:
    """The reverse of `group_rows` and `decision_rows`, as far as it goes, from the JSON values of both."""
    return LoggedPlan(
        {
            str(row["group_id"]): LoggedGroup(
                milliwatts(Decimal(row["allocated_kw"] or 0), MW_PER_KW), _moment(row["next_edge_at"])
            )
            for row in groups
        },
        {
            SessionKey(str(row["session"])): LoggedDecision(
                str(row["sentence"]),
                None if row["group_id"] is None else str(row["group_id"]),
                None if row["shortfall_kwh"] is None else Decimal(row["shortfall_kwh"]),
            )
            for row in decisions
        },
    )


def group_rows(plan: Plan) -> Iterator[dict[str, Figure]]:
    """What became of the limit of each group."""
    head = _head(plan)
    for group_id, group in plan.groups.items():
        yield head | {
            "group_id": group_id,
            "rule": group.rule.value,
            "message_id": group.message_id,
            "limit_kw": kilowatts(group.limit_mw),
            "effective_kw": kilowatts(group.effective_mw),
            "allocated_kw": kilowatts(group.allocated_mw),
            "uncontrolled_kw": kilowatts(group.uncontrolled_mw),
            "reserve_kw": kilowatts(group.reserve_mw),
            "deficit_kw": kilowatts(group.deficit_mw),
            "admitted": group.admitted,
            "paused": group.paused,
            "next_edge_at": None if group.next_edge_at is None else times.render(group.next_edge_at),
        }


def decision_rows(plan: Plan) -> Iterator[dict[str, Figure]]:
    """What each session should have and why. They name sessions, so they stay with the operator and the CPO."""
    head = _head(plan)
    for key, decision in plan.decisions.items():
        yield head | {
            "session": key,
            "standing": decision.standing.value,
            "power_kw": kilowatts(decision.power_mw),
            "group_id": decision.group_id,
            "target": _target(plan.targets[key]),
            "turn_at": None if decision.turn_at is None else times.render(decision.turn_at),
            "shortfall_kwh": None if decision.shortfall_kwh is None else round(decision.shortfall_kwh, 3),
            "sentence": decision.sentence,
        }


def _moment(value: Figure) -> datetime | None:
    return times.parse(value) if isinstance(value, str) else None


def _head(plan: Plan) -> dict[str, Figure]:
    return {"at": times.render(plan.at), "epoch": plan.epoch, "tree": plan.tree, "inputs_hash": plan.inputs_hash}


def _target(target: StepProfile | Release | None) -> str:
    match target:
        case None:
            return ""
        case Release.RELEASE:
            return "release"
        case StepProfile():
            return " ".join(f"{offset_s}s:{kilowatts(power_mw)}kW" for offset_s, power_mw in target.periods)
