"""What people are shown of the scene: groups with their sessions, and how a CPO fares."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from hub.ocpi.party_id import PartyId
from hub.ocpi.v221.location_enums import Status
from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.doors.port import ChargerRefusals, CpoReport, GroupView, LimitedSession, SessionView
from plugins.load_manager.evidence import LoggedPlan
from plugins.load_manager.grid.coverage import Evse, controllable_shares
from plugins.load_manager.grid.group import Member
from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.knowledge.keys import SessionKey, location_key
from plugins.load_manager.knowledge.needs import Told
from plugins.load_manager.knowledge.power import Drawn
from plugins.load_manager.knowledge.refusals import Refusal
from plugins.load_manager.planning import Plan
from plugins.load_manager.profiles import second
from plugins.load_manager.signals.wording import sentence
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.strides import Strides


def evses(scene: Scene) -> Iterator[Evse]:
    """The EVSEs of the catalog."""
    for _, location, evse in scene.known.evses.evses():
        yield Evse(Member(location.owner, location.id, evse.uid), evse.steerable)


def group_views(scene: Scene, now: datetime, drawn: Mapping[str, Drawn]) -> Strides[list[GroupView]]:
    """Every group as it is now; `drawn`: what the sessions of each draw, as far as somebody knows."""
    booked_mw = yield from _booked_mw(scene.rows(), now)
    shares = yield from controllable_shares(scene.model, evses(scene), now)
    found = []
    for group_id in list(scene.model.groups):
        yield
        if group_id not in scene.model.groups:
            continue  # since the grid is another one
        view = _group_view(scene, group_id, now, booked_mw.get(group_id, 0))
        found.append(replace(view, drawn=drawn.get(group_id), controllable_share=shares.get(group_id)))
    return found


def group_view(scene: Scene, group_id: str, now: datetime, drawn: Drawn | None) -> Strides[GroupView]:
    """A group as it is now, with its sessions. KeyError when it is not known."""
    tree = scene.tree(scene.model.root(group_id))
    inside = [row for row in tree.board.state.rows.values() if group_id in row.session.path]
    booked_mw = yield from _booked_mw(inside, now)
    shares = yield from controllable_shares(scene.model, _evses_below(scene, group_id), now)
    sessions = yield from _listed(scene, inside, now)
    view = _group_view(scene, group_id, now, booked_mw.get(group_id, 0))
    return replace(view, drawn=drawn, controllable_share=shares.get(group_id), sessions=sessions)


def _group_view(scene: Scene, group_id: str, now: datetime, booked_mw: int) -> GroupView:
    group = scene.model.groups[group_id]
    capacity = scene.capacities[group_id]
    force = capacity.limit_at(group, now)
    tree = scene.tree(scene.model.root(group_id))
    plan = tree.seen.groups.get(group_id) if tree.seen is not None else None
    until = plan.next_edge_at if plan is not None else None
    provider = group.capacity_provider or "the operator of the hub"
    return GroupView(
        group,
        capacity.standing.state,
        capacity.standing.since,
        sentence(force, until, provider, stopped=scene.mode.stopped),
        force.limit_mw,
        plan.allocated_mw if plan is not None else 0,
        booked_mw,
    )


def _booked_mw(rows: Iterable[Row], now: datetime) -> Strides[dict[str, int]]:
    """By group, what is booked for these sessions in it and below it."""
    found: dict[str, int] = {}
    for row in list(rows):
        yield
        booked_mw = row.booked.value_at(now)
        for group_id in row.session.path:
            found[group_id] = found.get(group_id, 0) + booked_mw
    return found


def _evses_below(scene: Scene, group_id: str) -> Iterator[Evse]:
    """The EVSEs of all locations that have something in the group or below it."""
    groups = (scene.model.groups[each] for each in scene.model.below(group_id))
    places = {location_key(member.party, member.location_id) for group in groups for member in group.members}
    for place in places:
        location = scene.known.evses.find(place)
        if location is None:
            continue
        for evse in list(location.evses.values()):
            if evse.status is not Status.REMOVED:
                yield Evse(Member(location.owner, location.id, evse.uid), evse.steerable)


def _listed(scene: Scene, rows: Iterable[Row], now: datetime) -> Strides[tuple[LimitedSession, ...]]:
    found = []
    for one in limited(scene, rows, now):
        yield
        found.append(one)
    return tuple(found)


def limited(scene: Scene, rows: Iterable[Row], now: datetime) -> Iterator[LimitedSession]:
    """Sessions with their limit, and why they have it."""
    now_s = second(now)
    for row in rows:
        key = SessionKey(row.session.id)
        session = scene.known.sessions.find(key)
        if session is None:
            continue
        plan = _plan(scene, row)
        decision = plan.decisions.get(key) if plan is not None else None
        group = plan.groups.get(decision.group_id or "") if plan is not None and decision is not None else None
        told = row.desired.profile.at(now_s) if row.desired is not None else None
        yield LimitedSession(
            session.owner,
            session.id,
            session.location_id,
            session.evse_uid,
            decision.sentence if decision is not None else _without_decision(row),
            told,
            row.booked.at(now_s),
            row.changed_at,
            group.next_edge_at if group is not None else None,
        )


def _without_decision(row: Row) -> str:
    gone = row.releasing or not row.session.path
    return "its limit is being taken away" if gone else "nothing is planned for it yet"


def session_view(scene: Scene, key: SessionKey, now: datetime) -> SessionView | None:
    """A session as its driver may ask about it; None when it runs in no group."""
    found, session = scene.row(key), scene.known.sessions.find(key)
    if found is None or session is None:
        return None
    (view,) = limited(scene, [found[2]], now)
    need, preference = scene.known.row(key, session, now).need, scene.known.preferences.find(key)
    need_kwh = Decimal(need.energy_wh) / 1000 if need.energy_wh is not None and need.energy_by is Told.DRIVER else None
    departure_at = preference.departure_at if preference is not None else None
    return SessionView(view, session.kwh, need_kwh, departure_at, _short_kwh(scene, found[2]))


def _short_kwh(scene: Scene, row: Row) -> Decimal | None:
    """What the session will lack at its departure by the plan, to the watt-hour; None when that is not known."""
    plan = _plan(scene, row)
    decision = plan.decisions.get(SessionKey(row.session.id)) if plan is not None else None
    if decision is None or decision.shortfall_kwh is None:
        return None
    return Decimal(str(round(decision.shortfall_kwh, 3)))


def _plan(scene: Scene, row: Row) -> Plan | LoggedPlan | None:
    """The plan of the tree that a row stands in."""
    return scene.tree(scene.model.root(row.session.path[0])).seen if row.session.path else None


def cpo_report(scene: Scene, party: PartyId, now: datetime) -> Strides[CpoReport]:
    """How a CPO fares."""
    rows = [row for row in scene.rows() if row.session.cpo.casefold() == str(party).casefold()]
    refusals = [
        ChargerRefusals(
            model,
            counts.get(Refusal.REJECTED, 0),
            counts.get(Refusal.TOO_OFTEN, 0),
            counts.get(Refusal.TIMED_OUT, 0),
        )
        for model, counts in sorted(scene.known.refusals.of(party, now).items())
    ]
    without = []
    for evse in evses(scene) if scene.known.cpos.of(party).default_current_a is None else ():
        yield
        if evse.place.party == party:
            without.append(evse.place)
    sessions = yield from _listed(scene, rows, now)
    everybody = yield from _curtailed(list(scene.rows()), now)
    own = yield from _curtailed(rows, now)
    # The mean share by which the CPO's sessions are curtailed, over that of all.
    parity = None if not everybody else (own / everybody).quantize(Decimal("0.001"))
    return CpoReport(sessions, tuple(refusals), tuple(without), parity)


def _curtailed(rows: list[Row], now: datetime) -> Strides[Decimal]:
    now_s, total = second(now), Decimal(0)
    for row in rows:
        yield
        if row.desired is not None and row.session.maximum_mw:
            total += 1 - Decimal(row.desired.profile.at(now_s)) / row.session.maximum_mw
    return total / len(rows) if rows else total


def panel_rows(scene: Scene) -> Iterator[tuple[object, ...]]:
    """A line for each group."""
    for group_id, capacity in scene.capacities.items():
        tree = scene.tree(scene.model.root(group_id))
        plan = tree.plan.groups.get(group_id) if tree.plan is not None else None
        given, admitted, paused = (plan.allocated_mw, plan.admitted, plan.paused) if plan is not None else (0, 0, 0)
        drawn = scene.drawn.get(group_id)
        powers = (
            kilowatts(capacity.standing.in_force_mw),
            kilowatts(given),
            "" if drawn is None else kilowatts(drawn.power_mw),
        )
        yield group_id, capacity.standing.state.shown.value, *powers, admitted + paused, paused
