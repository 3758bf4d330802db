"""What each fact changes in the scene, at once and in memory; what has to be planned, kept and asked for then."""

from datetime import datetime

from hub.ocpi import codec
from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Response
from hub.ocpi.v221.charging_profiles import ChargingProfileResultType as Result
from plugins.load_manager.dispatch import Board, Put
from plugins.load_manager.grid.files import read_json
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.grid.reading import read_group
from plugins.load_manager.knowledge.keys import SessionKey, owner, session_key
from plugins.load_manager.knowledge.learning import Limit
from plugins.load_manager.knowledge.register import GroupId
from plugins.load_manager.knowledge.session import Session
from plugins.load_manager.profiles import NotAProfile, Scale, from_ocpi, moment_of, second
from plugins.load_manager.profiles.step import StepProfile
from plugins.load_manager.steering import facts, refusing
from plugins.load_manager.steering.limit_news import LimitNews
from plugins.load_manager.steering.outcome import of_change
from plugins.load_manager.steering.scene import NOWHERE, Scene
from plugins.load_manager.steering.stir import Stir


class News:
    """Tells the scene. `under_way` are eMSPs' PUTs without a result, by their correlation id."""

    def __init__(self, scene: Scene) -> None:
        self.under_way: dict[str, Put] = {}
        self._scene = scene
        self._limits = LimitNews(scene)

    def tell(self, fact: facts.Fact, now: datetime) -> Stir:  # noqa: C901, PLR0912 - one case for each fact
        """Takes a fact over. Raises SignalRefused and GridRefused, and then nothing has changed."""
        match fact:
            case facts.SessionTold():
                return self._session(fact, now)
            case facts.WishTold():
                return self._wish(fact, now)
            case facts.LocationTold():
                return Stir(look_up=(fact.party, fact.id))
            case facts.LocationsRead():
                return Stir()  # they are looked up beside the other facts
            case facts.CpoReached():
                return Stir(self._scene.trees_of(fact.party))
            case facts.ActiveTold():
                return self._active(fact, now)
            case facts.ResultCame():
                return self._result(fact.session, fact.epoch, fact.seq, fact.result, now)
            case facts.SignalCame():
                return self._limits.signal(fact.signal, now, contact=fact.contact)
            case facts.ContactChanged():
                return self._limits.contact(fact, now)
            case facts.GroupPut():
                return self._regrouped(self._scene.model.with_group(read_group(fact.body)), now)
            case facts.GroupDeleted():
                there = fact.group_id in self._scene.model.groups
                return self._regrouped(self._scene.model.without_group(fact.group_id), now) if there else Stir()
            case facts.GridImported():
                return self._regrouped(read_json(codec.dumps({"groups": fact.groups})), now)
            case facts.CpoChanged():
                self._scene.known.cpos.change(owner(fact.party), fact.settings)
                consents = fact.settings.consents(now)
                return Stir(set(self._scene.trees), at_once=True, known=True, pull={fact.party} if consents else set())
            case facts.ModeChanged():
                return self._limits.mode(fact, now)
            case facts.SignalSettled():
                return self._limits.settled(fact, now)
            case facts.LimitLifted():
                return self._limits.lifted(fact, now)
            case facts.TheirsUnderWay():
                return self._theirs(fact, now)
            case facts.TheirsAnswered():
                return self._theirs_answered(fact, now)
            case facts.TheirsResulted():
                put = self.under_way.pop(fact.correlation_id, None)
                return self._result(SessionKey(put.session_id), put.epoch, put.seq, fact.result, now) if put else Stir()
            case facts.TheirsGone():
                return self._theirs_gone(fact)
            case facts.Missed():
                return Stir(pull=self.consenting(now))

    def _regrouped(self, model: GridModel, now: datetime) -> Stir:
        outcome = of_change(self._scene.model, model, now)
        self._scene.regroup(model, now)
        self._scene.known.arrivals.keep_only(model.groups)
        return Stir(set(self._scene.trees), at_once=True, grid=True, pull=self.consenting(now), outcome=outcome)

    def consenting(self, now: datetime) -> set[str]:
        """Those that may be asked for their sessions."""
        known = self._scene.known.cpos
        parties = {member.party for group in self._scene.model.groups.values() for member in group.members}
        return {str(party) for party in parties if known.of(party).consents(now)}

    # --- sessions ---

    def _session(self, fact: facts.SessionTold, now: datetime) -> Stir:
        known, party = self._scene.known, owner(fact.party)
        tell = known.sessions.put if fact.whole else known.sessions.patch
        news = tell(party, fact.id, fact.body, fact.source, now)
        key = session_key(party, fact.id)
        session = known.sessions.find(key)
        if news is None or session is None:
            return Stir()
        return self.heard(session, now)

    def heard(self, session: Session, now: datetime) -> Stir:
        """There is news of a session; the trees to plan again."""
        key = session_key(session.owner, session.id)
        self._scene.known.learn(key)
        found = self._scene.row(key)
        if not session.noted and not session.ended and (group := self._scene.group_of(session, now)) is not None:
            session.noted = True
            self._scene.known.arrivals.note(GroupId(group.id), session.started_at or session.first_seen, now)
        at_once = session.ended or found is None
        if found is not None and not session.ended:
            _, board, row = found
            if row.unknown:
                board.seen(row.session)
            at_once = _judged(board, key, session)
        return Stir(set(self._scene.place(key, session, now)), at_once=at_once)

    def _wish(self, fact: facts.WishTold, now: datetime) -> Stir:
        known = self._scene.known
        key = session_key(owner(fact.party), fact.id)
        session = known.sessions.find(key)
        known.preferences.asked(fact.correlation_id, key, fact.body, session.kwh if session else None, now)
        if known.preferences.answered(fact.correlation_id, fact.answer, now) is None or session is None:
            return Stir()
        return Stir(set(self._scene.place(key, session, now)))

    def _active(self, fact: facts.ActiveTold, now: datetime) -> Stir:
        found = self._scene.row(fact.session)
        if found is None:
            return Stir()
        root, board, row = found
        profile = fact.body.get("charging_profile")
        if not isinstance(profile, dict):
            return Stir()
        whole = {"start_date_time": fact.body.get("start_date_time")} | profile
        session = self._scene.known.sessions.find(fact.session)
        since = session.started_at if session else None
        scale, maximum_mw = row.session.scale, row.session.maximum_mw
        try:
            limit = from_ocpi(whole, scale=scale, maximum_mw=maximum_mw, now=now, charging_since=since)
        except NotAProfile:
            return Stir()
        duration = whole.get("duration")
        until_s = second(now) + int(duration) if duration is not None else None
        board.reported(now, fact.session, limit, until_s)
        return Stir({root}, at_once=True, boards={root})

    def _result(self, key: SessionKey, epoch: int, seq: int, result: Result, now: datetime) -> Stir:
        found = self._scene.row(key)
        if found is None:
            return Stir()
        root, board, row = found
        if not board.called_back(now, key, epoch, seq, result):
            return Stir(late=True)
        refusing.said(self._scene, row, result, now)
        if row.waiting is None and result is not Result.REJECTED:
            self._confirmed(key, row.confirmed if row.ours else None, now)
        urgent = result is not Result.ACCEPTED or root == NOWHERE or self._scene.leaving
        return Stir({root}, at_once=urgent)

    def _confirmed(self, key: SessionKey, profile: StepProfile | None, now: datetime) -> None:
        found = self._scene.row(key)
        learning = self._scene.known.learning
        if profile is None or found is None:
            learning.confirmed(key, Limit(now))
            return
        scale, steps = found[2].session.scale, profile.since(second(now)).steps
        learning.confirmed(key, *(_limit(max(now, moment_of(since_s)), power_mw, scale) for since_s, power_mw in steps))

    # --- what eMSPs say ---

    def _theirs(self, fact: facts.TheirsUnderWay, now: datetime) -> Stir:
        found = self._scene.row(fact.session)
        if found is None:
            return Stir()
        root, board, _ = found
        put = board.theirs(now, fact.session, fact.profile)
        if put is not None:
            self.under_way[fact.correlation_id] = put
        return Stir({root}, boards={root})

    def _theirs_answered(self, fact: facts.TheirsAnswered, now: datetime) -> Stir:
        put = self.under_way.get(fact.correlation_id)
        found = self._scene.row(SessionKey(put.session_id)) if put else None
        if put is None or found is None:
            return Stir()
        root, board, row = found
        if fact.answer is None:
            board.unanswered(now, put.session_id, put.epoch, put.seq)
        else:
            board.answered(now, put.session_id, put.epoch, put.seq, answer=fact.answer, timeout_s=fact.timeout_s)
            refusing.said(self._scene, row, fact.answer, now)
        if fact.answer is not Response.ACCEPTED:
            del self.under_way[fact.correlation_id]
        return Stir({root})

    def _theirs_gone(self, fact: facts.TheirsGone) -> Stir:
        found = self._scene.row(fact.session)
        self._scene.debts.setdefault(fact.session, []).append(fact.handle)
        if found is None:
            return Stir()
        root, board, _ = found
        board.theirs_gone(fact.session)
        return Stir({root}, at_once=True, boards={root})


def _judged(board: Board, key: SessionKey, session: Session) -> bool:
    """Whether the readings of the session change what is booked for it; each is told once."""
    return any(
        board.drew(key, reading.power_mw, reading.since, reading.at, least_mw=reading.least_mw)
        for reading in session.metered()
        if reading.since is not None and reading.at is not None
    )


def _limit(since: datetime, power_mw: int, scale: Scale) -> Limit:
    """As the charge point has it."""
    return Limit(since, scale.tenths(power_mw) * 100) if scale.unit == "A" else Limit(since, mw=power_mw)
