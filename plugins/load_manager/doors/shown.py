"""What the load manager knows, as the JSON values that people and programs are shown: power in kilowatts, moments as
OCPI writes them.
"""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from hub.ocpi import times
from hub.ocpi.party_id import PartyId
from plugins.load_manager.doors.port import (
    ActivationEntry,
    CpoReport,
    GroupView,
    LimitedSession,
    Operation,
    PlanEntry,
    SessionView,
    WaitingSignal,
)
from plugins.load_manager.evidence.writing import csv_of, figures, quarter_figures
from plugins.load_manager.grid.coverage import Evse
from plugins.load_manager.grid.files import body_of
from plugins.load_manager.grid.group import Member
from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.knowledge.cpo_settings import CpoSettings

MOST_SHOWN = 1000
_SHARE_DIGITS = Decimal("0.0001")

Shown = dict[str, object]


def group(view: GroupView) -> Shown:
    """A group for operators. `group` is the body that made it, ready to be changed and put again."""
    return {**_standing(view), "group": body_of(view.group)}


def group_with_sessions(view: GroupView) -> Shown:
    return {**group(view), "sessions": [session(one) for one in view.sessions]}


def group_for_provider(view: GroupView, waiting: list[str]) -> Shown:
    """A group for the DSO that limits it: no sessions, no drivers, no EVSEs. `waiting` are the ids of its messages that
    wait for the operator of the hub.
    """
    fallback_mw = view.group.fallback_capacity_mw
    return {
        **_standing(view),
        "static_capacity_kw": kilowatts(view.group.static_capacity_mw),
        "fallback_capacity_kw": None if fallback_mw is None else kilowatts(fallback_mw),
        "waiting": waiting,
    }


def session(one: LimitedSession) -> Shown:
    return {
        "country_code": one.party.country_code,
        "party_id": one.party.party_id,
        "session_id": one.session_id,
        "location_id": one.location_id,
        "evse_uid": one.evse_uid,
        "reason": one.reason,
        "limit_kw": _kw(one.limit_mw),
        "booked_kw": _kw(one.booked_mw),
        "since": _time(one.since),
        "release_at": _time(one.release_at),
    }


def session_view(view: SessionView) -> Shown:
    return {
        **session(view.limited),
        "energy_kwh": view.energy_kwh,
        "need_kwh": view.need_kwh,
        "departure_at": _time(view.departure_at),
        "expected_kwh": view.expected_kwh,
        "need_may_be_missed": None if view.short_kwh is None else view.short_kwh > 0,
    }


def member(place: Member) -> Shown:
    return {
        "country_code": place.party.country_code,
        "party_id": place.party.party_id,
        "location_id": place.location_id,
        "evse_uid": place.evse_uid,
    }


def evse(one: Evse) -> Shown:
    return {**member(one.place), "controllable": one.steerable}


def operation(now: Operation) -> Shown:
    return {"mode": now.mode.value, "stopped": now.stopped}


def waiting_signal(waiting: WaitingSignal, signal_id: str) -> Shown:
    return {
        "id": signal_id,
        "group_id": waiting.group_id,
        "capacity_provider": waiting.set_aside.capacity_provider,
        "message_id": waiting.set_aside.message_id,
        "received_at": _time(waiting.set_aside.received_at),
        "blocks": [
            {"start": _time(span.start), "end": _time(span.end), "limit_kw": _kw(span.limit_mw)}
            for span in waiting.set_aside.spans
        ],
    }


def cpo(party: PartyId, settings: CpoSettings) -> Shown:
    return {"country_code": party.country_code, "party_id": party.party_id, **settings.public()}


def cpo_report(report: CpoReport) -> Shown:
    """All of a report but its sessions, which are listed page by page; of EVSEs without a default the first."""
    return {
        "refusals": [
            {
                "model": each.model,
                "rejected": each.rejected,
                "too_often": each.too_often,
                "timed_out": each.timed_out,
            }
            for each in report.refusals
        ],
        "without_default": [member(place) for place in report.without_default[:MOST_SHOWN]],
        "without_default_count": len(report.without_default),
        "parity": report.parity,
    }


def plan(entry: PlanEntry) -> Shown:
    return {
        "id": entry.id,
        "at": _time(entry.at),
        "tree": entry.tree,
        "groups": entry.groups,
        "decisions": entry.decisions,
    }


def activation(entry: ActivationEntry, now: datetime) -> Shown:
    return {"id": entry.id, **figures(entry.activation, now)}


def evidence(entry: ActivationEntry, now: datetime) -> Shown:
    """An activation with its averages over the quarters of the clock."""
    return {**activation(entry, now), "quarters": quarter_figures(entry.activation)}


def evidence_csv(entry: ActivationEntry, now: datetime) -> str:
    """The same as a table: a line for each quarter, the figures of the activation on every one of them."""
    head = {"id": entry.id, **figures(entry.activation, now)}
    return csv_of([{**head, **quarter} for quarter in quarter_figures(entry.activation)] or [head])


def _standing(view: GroupView) -> Shown:
    return {
        "id": view.group.id,
        "state": view.state.shown.value,
        "since": _time(view.since),
        "reason": view.reason,
        "limit_kw": _kw(view.limit_mw),
        "allocated_kw": _kw(view.allocated_mw),
        "booked_kw": _kw(view.booked_mw),
        "measured_kw": None if view.drawn is None else kilowatts(view.drawn.power_mw),
        "measured_quality": None if view.drawn is None else view.drawn.quality.value,
        "controllable_share": _share(view.controllable_share),
    }


def _kw(power_mw: int | None) -> int | Decimal | None:
    return None if power_mw is None else kilowatts(power_mw)


def _share(share: Fraction | None) -> Decimal | None:
    return None if share is None else (Decimal(share.numerator) / share.denominator).quantize(_SHARE_DIGITS)


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else times.render(moment)
