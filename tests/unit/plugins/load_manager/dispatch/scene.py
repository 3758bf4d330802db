"""A board with a clock and a CPO that answers when told to, in the figures of the scenarios: kW and A per phase."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hub.ocpi.codec import dumps, loads
from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Answer
from hub.ocpi.v221.charging_profiles import ChargingProfileResultType as Result
from plugins.load_manager.dispatch import Action, Board, Put, Rates, Release, Session, Target, WakeAt
from plugins.load_manager.profiles import Scale, StepProfile, second, with_ending

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AC3 = Scale("A", 3, 4_140_000)
TENTH_MW = 69_000  # 0.1 A on three phases
FALLBACK_A = 6.0


def power(ampere: float) -> int:
    """A per phase on three phases, in mW."""
    return round(ampere * 10) * TENTH_MW


def ampere(profile: StepProfile, moment: datetime) -> float:
    return profile.value_at(moment) / TENTH_MW / 10


class Scene:
    """One node `g` with the sessions of one scenario."""

    def __init__(self, limit_kw: float, now: datetime = NOON) -> None:
        self.now = now
        self.board = Board()
        self.rates = Rates(default_per_s=Decimal(1000))
        self.actions: list[Action] = []
        self.limit(limit_kw)

    def limit(self, kw: float) -> None:
        self.board.limit({"g": StepProfile.flat(0, round(kw * 1_000_000))})

    def start(self, *names: str, cpo: str = "X", default_a: float | None = None, maximum_a: float = 16.0) -> None:
        for name in names:
            default_mw = None if default_a is None else power(default_a)
            self.board.seen(Session(name, cpo, ("g",), power(maximum_a), AC3, default_mw))

    def aim(self, names: Iterable[str], *amperes: float, until_s: int = 2700) -> None:
        """The plan: these limits one after the other, a quarter of an hour each, then the fallback share."""
        now_s = second(self.now)
        plan = StepProfile.of((now_s + number * 900, power(limit)) for number, limit in enumerate(amperes))
        for name in names:
            ending = with_ending(plan, StepProfile.flat(0, power(FALLBACK_A)), now_s + until_s)
            self.board.aim(name, Target(ending, now_s + until_s))

    def decide(self) -> dict[str, float]:
        """The messages that leave now, in order: session and its limit in A. All actions are in `actions`."""
        self.actions = self.board.decide(self.now, self.rates)
        return {put.session_id: ampere(put.profile, self.now) for put in self.actions if isinstance(put, Put)}

    def told(self) -> list[Action]:
        """What the last decision asked for beside messages and waking."""
        return [action for action in self.actions if not isinstance(action, Put | Release | WakeAt)]

    def wake_after_s(self) -> float | None:
        found = [action.at for action in self.actions if isinstance(action, WakeAt)]
        return (found[0] - self.now).total_seconds() if found else None

    def message(self, name: str) -> Put | Release:
        return next(act for act in self.actions if isinstance(act, Put | Release) and act.session_id == name)

    def answer(self, name: str, answer: Answer, timeout_s: int = 30) -> None:
        sent = self.message(name)
        assert self.board.answered(self.now, name, sent.epoch, sent.seq, answer=answer, timeout_s=timeout_s)

    def call_back(self, name: str, result: Result = Result.ACCEPTED, sent: Put | Release | None = None) -> bool:
        sent = sent or self.message(name)
        return self.board.called_back(self.now, name, sent.epoch, sent.seq, result)

    def accept(self) -> None:
        """Every message of the last decision is accepted and confirmed."""
        for act in self.actions:
            if isinstance(act, Put | Release):
                self.answer(act.session_id, Answer.ACCEPTED)
                self.call_back(act.session_id)

    def after(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def booked_kw(self, *names: str) -> float:
        return sum(self.board.booked(name, self.now) for name in names or self.board.state.rows) / 1_000_000

    def restart(self) -> None:
        self.board = Board.from_json(loads(dumps(self.board.to_json())))
        self.rates = Rates(default_per_s=Decimal(1000))
        self.board.restarted()


def steered(
    limit_kw: float, limit_a: float, *names: str, default_a: float | None = None, maximum_a: float = 16.0
) -> Scene:
    """Sessions that run with a confirmed limit for a minute."""
    scene = Scene(limit_kw)
    scene.start(*names, default_a=default_a, maximum_a=maximum_a)
    scene.aim(names, limit_a)
    assert scene.decide() == dict.fromkeys(names, limit_a)
    scene.accept()
    scene.after(60)
    assert scene.decide() == {}
    return scene
