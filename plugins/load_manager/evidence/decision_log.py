"""Why a plan was as it was, for the operator of the hub: a row for each group, and one for each session."""

from collections.abc import Iterator

from hub.ocpi import times
from plugins.load_manager.evidence.writing import Figure
from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.planning import Plan, Release
from plugins.load_manager.profiles import StepProfile


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
