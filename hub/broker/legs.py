"""One leg: the request as the receiver's platform gets it, the sending, and the line and counts that remain of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from hub.broker.alarms import Alarms
from hub.broker.answer import Answers, relayed_headers
from hub.broker.exchange import Exchange, HubAnswer
from hub.broker.ids import message_id
from hub.broker.liveness import LivenessBoard
from hub.broker.plugins.watched import Watched
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain import relay
from hub.domain.decisions import Direct, Refused
from hub.domain.outcome import Answer, Outcome, Unsent, UnsentReason
from hub.domain.platform import Platform
from hub.domain.relay import Replaced
from hub.domain.routing import speaker
from hub.logs import LegLog
from hub.metrics import Metrics
from hub.net.forwarder import Forwarder, WireRequest
from hub.ocpi import headers as names
from hub.ocpi.headers import routing_headers
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode, is_success
from hub.store.records import Broadcast, Callback

# What the log keeps of a leg; the values are appended in this order.
LEG_FIELDS = (
    "at",
    "request_id",
    "leg_request_id",
    "correlation_id",
    "caused_by",
    "mode",
    "module",
    "interface",
    "method",
    "from_platform",
    "from",
    "to_platform",
    "to",
    "outcome",
    "http_status",
    "status_code",
    "duration_ms",
    "leg_ms",
)


RELAYED = "relayed"
CUSTOM = "custom"
BY_PLUGIN = "plugin"


class LocalWire(Protocol):
    """The way to parties that plugins play."""

    async def deliver(self, leg: "Leg", correlation_id: str) -> Outcome:
        """What the plugin makes of the request."""


class NoPlugins:
    """No plugin plays any party."""

    async def deliver(self, leg: "Leg", correlation_id: str) -> Outcome:
        return Unsent(UnsentReason.REFUSED, "no such plugin runs")


@dataclass(frozen=True, slots=True)
class Limits:
    """Deadlines in seconds and sizes in bytes for legs."""

    forward_timeout_s: float
    authorize_timeout_s: float
    max_body: int
    stream_above: int


class Leg(NamedTuple):
    """Where a leg goes and between whom (RT2, RT9). `caused_by` is the correlation id of the request a result belongs
    to, `callback` the stored way home of that result; `headers` are those that plugins add.
    """

    platform: Platform
    receiver: PartyId
    sender: PartyId
    method: str
    url: str
    body: bytes | None
    mode: str
    timeout_s: float
    caused_by: str | None = None
    headers: Mapping[str, str] | None = None
    callback: Callback | None = None


class LegResult(NamedTuple):
    """The outcome of a leg, the answer for the requester that table F makes of it, and the word for logs and
    metrics.
    """

    leg: Leg
    outcome: Outcome
    answer: HubAnswer
    word: str
    request_id: str
    seconds: float

    @property
    def taken(self) -> Answer | None:
        """The receiver's answer when it says that it took the message, be it without a body (F19)."""
        taken = self.answer.code is not None and is_success(self.answer.code)
        return self.outcome if taken and isinstance(self.outcome, Answer) else None

    @property
    def relayed(self) -> Answer | None:
        """The receiver's answer when its body goes back; None when the hub answers in its place."""
        return self.outcome if self.word == RELAYED and isinstance(self.outcome, Answer) else None


class Legs:
    """Sends legs. One attempt each, no queue, no retry (R-068)."""

    def __init__(
        self,
        *,
        registry: RegistryKeeper,
        liveness: LivenessBoard,
        forwarder: Forwarder,
        answers: Answers,
        alarms: Alarms,
        metrics: Metrics,
        log: LegLog,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._registry = registry
        self._liveness = liveness
        self._forwarder = forwarder
        self._answers = answers
        self._alarms = alarms
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self.limits = limits
        # Where legs to parties go that plugins play; there is nobody until there are plugins.
        self.local: LocalWire = NoPlugins()

    def timeout_s(self, platform: Platform, *, authorize: bool, at_most: float | None = None) -> float:
        """The deadline for a leg to this platform (R-069); `at_most` is how long its sender waits."""
        timeout_s = self._timeout_s(platform, authorize=authorize)
        return timeout_s if at_most is None else min(timeout_s, at_most)

    def _timeout_s(self, platform: Platform, *, authorize: bool) -> float:
        settings, limits = platform.settings, self.limits
        if authorize:
            return settings.authorize_timeout_s or limits.authorize_timeout_s
        return settings.forward_timeout_s or limits.forward_timeout_s

    async def send(self, exchange: Exchange, leg: Leg) -> LegResult:
        """Sends the leg and judges what came of it. Failures are answers, never exceptions."""
        if exchange.watched is None:
            return await self._send(exchange, leg)
        if leg.platform.plugin is None:
            return await self._send_watched(exchange.watched, exchange, leg)
        result = await self._send(exchange, leg)
        exchange.watched.at_plugin((leg.sender, leg.receiver), leg.platform.id, result.answer, result.word)
        return result

    async def _send_watched(self, watched: Watched, exchange: Exchange, leg: Leg) -> LegResult:
        """The same, with what plugins say before and after."""
        seen = watched.begin_leg((leg.sender, leg.receiver), leg.platform.id, leg.method, exchange.version, leg.body)
        if watched.sees_legs:
            out = await watched.forwarding(seen, leg.body)
            if isinstance(out, Refused):
                out = self._answers.refused(exchange, out)
            if isinstance(out, HubAnswer):
                seen.outcome = BY_PLUGIN
                answer = await watched.answered(seen, out)
                return LegResult(leg, Unsent(UnsentReason.UNUSABLE, BY_PLUGIN), answer, BY_PLUGIN, "", 0.0)
            leg = leg._replace(body=out.body, headers=out.headers)
        result = await self._send(exchange, leg)
        seen.outcome, seen.seconds = result.word, result.seconds
        return result._replace(answer=await watched.answered(seen, result.answer))

    async def unsent(self, exchange: Exchange, direct: Direct, refusal: Refused, mode: str) -> HubAnswer:
        """The hub's own refusal where the receiver is known and was not asked."""
        if exchange.watched is None or direct.platform.plugin is not None:
            return self.refused(exchange, refusal, mode)
        watched = exchange.watched
        seen = watched.begin_leg(
            (direct.sender, direct.receiver), direct.platform.id, exchange.method, exchange.version, exchange.body
        )
        seen.outcome = str(int(refusal.code))
        answer = await watched.answered(seen, self._answers.refused(exchange, refusal))
        self.note(exchange, answer, mode, seen.outcome)
        return answer

    async def _send(self, exchange: Exchange, leg: Leg) -> LegResult:
        outcome, request_id, seconds = await self.carry(leg, exchange.correlation_id)
        verdict = relay.judge(outcome, leg.method)
        routing = routing_headers(leg.sender, leg.receiver)
        if isinstance(verdict, Replaced):
            answer = self._replace(leg, verdict, outcome, routing)
            word = verdict.row
        else:
            assert isinstance(outcome, Answer)  # noqa: S101 - only an answer can be relayed
            routing.update(relayed_headers(outcome))
            answer = HubAnswer(verdict.http, outcome.body, verdict.code, routing, outcome.rest)
            word = RELAYED
        return LegResult(leg, outcome, answer, word, request_id, seconds)

    async def carry(self, leg: Leg, correlation_id: str) -> tuple[Outcome, str, float]:
        """Sends the leg; its outcome, its own request id and how long it took in seconds. Liveness learns from it."""
        request_id = message_id()
        started = self._clock.monotonic()
        if leg.platform.plugin is not None:
            return await self.local.deliver(leg, correlation_id), request_id, self._clock.monotonic() - started
        outbound = self._registry.outbound(leg.platform)
        if outbound is None:
            outcome: Outcome = Unsent(UnsentReason.UNUSABLE, "not registered")
        else:
            headers = {
                names.AUTHORIZATION: outbound.authorization,
                names.REQUEST_ID: request_id,
                names.CORRELATION_ID: correlation_id,
                names.TO_COUNTRY: leg.receiver.country_code,
                names.TO_PARTY: leg.receiver.party_id,
                names.FROM_COUNTRY: leg.sender.country_code,
                names.FROM_PARTY: leg.sender.party_id,
                "Accept": names.JSON,
            }
            if leg.body is not None:
                headers[names.CONTENT_TYPE] = names.JSON
            if leg.headers:
                headers |= leg.headers
            limits = self.limits
            outcome = await self._forwarder.send(
                outbound.wire,
                WireRequest(
                    leg.method, leg.url, headers, leg.body, leg.timeout_s, limits.max_body, limits.stream_above
                ),
            )
        self._note_evidence(leg, outcome)
        return outcome, request_id, self._clock.monotonic() - started

    def refused(self, exchange: Exchange, refusal: Refused, mode: str) -> HubAnswer:
        """The hub's own refusal, counted and in the log."""
        if exchange.sender is None:
            exchange.sender = speaker(self._registry.snapshot, exchange.platform, exchange.routing.sender)
        answer = self._answers.refused(exchange, refusal)
        self.note(exchange, answer, mode, str(int(refusal.code)))
        return answer

    def _replace(self, leg: Leg, verdict: Replaced, outcome: Outcome, routing: Mapping[str, str]) -> HubAnswer:
        received = outcome if isinstance(outcome, Answer) else None
        if received is not None and received.rest is not None:
            received.rest.close()
        self._sound(leg, verdict)
        # RT7: an error of the hub's own comes FROM the hub; an answer in the receiver's name (F13, F19) keeps its FROM.
        if verdict.code in (StatusCode.OK, StatusCode.CLIENT_ERROR):
            return self._answers.replacing(verdict.http, verdict.code, verdict.message, received, routing)
        return self._answers.replacing(
            verdict.http, verdict.code, verdict.message, received, self._answers.from_hub(leg.sender)
        )

    def _sound(self, leg: Leg, verdict: Replaced) -> None:
        if verdict.alarm is not None:
            kind = "token_refused" if verdict.row == "F9" else "leg_refused"
            self._alarms.sound(kind, leg.platform.id, verdict.alarm)
        elif verdict.row == "F23":
            self._alarms.sound(
                "platform_full", leg.platform.id, "its limit of requests in flight, or the hub's, is reached"
            )

    def _note_evidence(self, leg: Leg, outcome: Outcome) -> None:
        alive = relay.shows_life(outcome)
        if alive:
            self._liveness.heard(leg.platform.id)
        elif alive is False:
            self._liveness.failed(leg.platform.id)

    def note(
        self, exchange: Exchange, answer: HubAnswer, mode: str, word: str, result: LegResult | None = None
    ) -> None:
        """Counts an exchange and appends its line; both leave the message path at once."""
        duration_s = self._clock.monotonic() - exchange.started
        if exchange.watched is not None:
            exchange.watched.facts.outcome = word
        leg_s = None if result is None else result.seconds
        module = CUSTOM if exchange.match is None else exchange.module  # platforms name custom modules as they like
        self._metrics.count_message(mode, module, word, duration_s, leg_s)
        leg = None if result is None else result.leg
        sender, receiver = (exchange.sender, exchange.receiver) if leg is None else (leg.sender, leg.receiver)
        self._log.append(
            (
                self._clock.now(),
                exchange.request_id,
                None if result is None else result.request_id,
                exchange.correlation_id,
                None if leg is None else leg.caused_by,
                mode,
                exchange.module,
                exchange.interface.value,
                exchange.method,
                exchange.platform.id,
                None if sender is None else str(sender),
                None if leg is None else leg.platform.id,
                None if receiver is None else str(receiver),
                word,
                answer.http,
                answer.code,
                round(duration_s * 1000, 3),
                None if leg_s is None else round(leg_s * 1000, 3),
            )
        )

    def note_broadcast(self, broadcast: Broadcast, leg: Leg, result: tuple[Outcome, str, float]) -> str:
        """Counts one leg of a broadcast, whose exchange was answered before, and appends its line; the word in it."""
        outcome, request_id, seconds = result
        verdict = relay.judge(outcome, leg.method)
        if isinstance(outcome, Answer) and outcome.rest is not None:
            outcome.rest.close()
        if isinstance(verdict, Replaced):
            self._sound(leg, verdict)
        word = verdict.row if isinstance(verdict, Replaced) and verdict.code != StatusCode.OK else RELAYED
        self._metrics.count_broadcast_leg("taken" if word == RELAYED and _taken(verdict.code) else word, seconds)
        self._log.append(
            (
                self._clock.now(),
                None,
                request_id,
                broadcast.correlation_id,
                None,
                leg.mode,
                broadcast.module,
                Interface.RECEIVER.value,
                leg.method,
                broadcast.platform_id,
                str(leg.sender),
                leg.platform.id,
                str(leg.receiver),
                word,
                outcome.status if isinstance(outcome, Answer) else None,
                verdict.code if isinstance(outcome, Answer) else None,
                None,
                round(seconds * 1000, 3),
            )
        )
        return word


def _taken(code: int | None) -> bool:
    return code is None or is_success(code)
