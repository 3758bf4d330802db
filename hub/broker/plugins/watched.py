"""One exchange that plugins watch: what they are asked, when, and what becomes of their verdicts.

Rules
- Plugins are asked one after the other in their order; the first one that decides has decided. On the way back the
order
  is the reverse one.
- A verdict that cannot be carried out is a failure of its plugin (`on_error`), never of the message.
- An exchange is over when it is answered and its last leg is done; then, once, FINISHED.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from hub.broker.exchange import Exchange, HubAnswer
from hub.broker.plugins.leading import kind_of, led_elsewhere, receivers_of
from hub.broker.plugins.spoken import Spoken, Unusable, checked_json, code_of, usable_headers
from hub.domain.decisions import Decision, Direct, Refused
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.plugin.chain import Hooks, UnderWay
from hub.plugin.exchange import Content, Result
from hub.plugin.exchange import Exchange as Facts
from hub.plugin.exchange import Leg as LegFacts
from hub.plugin.guard import Hook
from hub.plugin.inbox import Inbox, ObjectKey, Ticket
from hub.plugin.verdicts import Answer, Change, Reject, Skip, Take, Verdict
from hub.plugin.words import Kind

if TYPE_CHECKING:
    from hub.broker.registry import RegistryKeeper


class Taken(NamedTuple):
    """A plugin has taken the request over and owes its result."""

    hook: Hook
    verdict: Take

    @property
    def plugin(self) -> str:
        return self.hook.guard.name


class Outgoing(NamedTuple):
    """What goes out: the body, and headers besides the hub's own."""

    body: bytes | None
    headers: Mapping[str, str]


class Watched:
    """An exchange and the hooks that see it. `by` is the plugin that refused or answered, if one did."""

    __slots__ = (
        "_answered",
        "_entered",
        "_hooks",
        "_inboxes",
        "_legs_open",
        "_over",
        "_registry",
        "_spoken",
        "_tickets",
        "_under_way",
        "by",
        "facts",
    )

    def __init__(  # noqa: PLR0917 - made in one room
        self,
        facts: Facts,
        hooks: Hooks,
        under_way: UnderWay,
        inboxes: Mapping[str, Inbox],
        spoken: Spoken,
        registry: "RegistryKeeper",
    ) -> None:
        self.facts = facts
        self.by = ""
        self._hooks = hooks
        self._under_way = under_way
        under_way.count += 1
        self._inboxes = inboxes
        self._spoken = spoken
        self._registry = registry
        self._tickets: dict[str, Ticket | None] = {}
        self._entered = False
        self._legs_open = 0
        self._answered = False
        self._over = False

    # --- RECEIVED ---

    @property
    def asks_early(self) -> bool:
        return bool(self._hooks.early)

    @property
    def asks_late(self) -> bool:
        return bool(self._hooks.late)

    async def received_early(self) -> HubAnswer | None:
        """Before the body is read."""
        return await self._received(self._hooks.early)

    async def received_late(self) -> HubAnswer | None:
        """With the body."""
        return await self._received(self._hooks.late)

    async def _received(self, hooks: Iterable[Hook]) -> HubAnswer | None:
        for hook in hooks:
            verdict = await hook.guard.ask(hook, self.facts)
            if isinstance(verdict, Answer | Reject):
                said = self._said(hook, verdict)
                if said is not None:
                    return said
        return None

    def body(self, body: bytes | None) -> None:
        """The request's body has been read."""
        self.facts.request = Content(body, self._hooks.request, self._hooks.request_limit)

    # --- ROUTED ---

    async def routed(
        self, exchange: Exchange, decision: Decision, *, kind: Kind | None = None, openly: bool = False
    ) -> Decision | HubAnswer | Taken:
        """The decision as plugins leave it. With a `kind` it is a URL of the hub's: it cannot be led elsewhere.
        `openly`: the receiver was found by open routing.
        """
        facts = self.facts
        if isinstance(decision, Refused):
            return decision
        facts.sender = decision.sender
        facts.kind = kind or (Kind.OPEN if openly else kind_of(decision))
        facts.receivers = receivers_of(decision)
        for hook in self._hooks.routed:
            if hook.kinds is not None and facts.kind not in hook.kinds:
                continue
            verdict = await hook.guard.ask(hook, facts)
            if verdict is None:
                continue
            if isinstance(verdict, Answer | Reject):
                said = self._said(hook, verdict)
                if said is not None:
                    return said
                continue
            if isinstance(verdict, Take) and isinstance(decision, Direct) and kind is None:
                self.by = hook.guard.name
                return Taken(hook, verdict)
            changed = led_elsewhere(self._registry.snapshot, exchange, decision, verdict) if kind is None else None
            if changed is None:
                refusal = hook.guard.unfit(hook, f"{type(verdict).__name__} does not go with {facts.kind.value}")
                if refusal is not None:
                    return self._spoken.answer(refusal, facts.sender)
                continue
            decision = changed
            self.by = hook.guard.name
            if isinstance(decision, Refused):
                return decision
            facts.kind = Kind.OPEN if openly else kind_of(decision)
            facts.receivers = receivers_of(decision)
        return decision

    # --- legs ---

    def begin_leg(
        self, between: tuple[PartyId, PartyId], platform_id: str, method: str, version: str, body: bytes | None
    ) -> LegFacts:
        """A leg, as plugins see it: from the first party to the second, on that platform."""
        sender, receiver = between
        content = Content(body, self._hooks.request, self._hooks.request_limit)
        leg = LegFacts(receiver, sender, platform_id, version, method, content)
        self.facts.legs.append(leg)
        return leg

    def at_plugin(self, between: tuple[PartyId, PartyId], platform_id: str, answer: HubAnswer, word: str) -> None:
        """A leg that ended inside the hub: there is nothing to ask about it, and it is told of when all is over."""
        leg = self.begin_leg(between, platform_id, self.facts.method, self.facts.version, None)
        leg.outcome = word
        self._note_answer(leg, answer)

    async def forwarding(self, leg: LegFacts, body: bytes | None) -> Outgoing | HubAnswer | Refused:
        """What goes out in this leg; or an answer in place of sending it, or the reason why it is not sent."""
        headers: dict[str, str] = {}
        for hook in self._hooks.forwarding:
            if hook.kinds is not None and self.facts.kind not in hook.kinds:
                continue
            verdict = await hook.guard.ask(hook, self.facts, leg)
            if isinstance(verdict, Reject):
                said = self._said(hook, verdict)
                if said is not None:
                    return said
            elif isinstance(verdict, Skip):
                self.by = hook.guard.name
                return Refused(200, StatusCode.HUB_ERROR, f"Not forwarded: {verdict.why}")
            elif isinstance(verdict, Change):
                try:
                    more, text = usable_headers(verdict.headers), verdict.text
                    if text is not None:
                        body = checked_json(text)
                        leg.body = Content(body, self._hooks.request, self._hooks.request_limit)
                    headers |= more
                except Unusable as problem:
                    refusal = hook.guard.nonsense(hook, str(problem))
                    if refusal is not None:
                        return self._spoken.answer(refusal, self.facts.sender)
        return Outgoing(body, headers)

    async def answered(self, leg: LegFacts, answer: HubAnswer) -> HubAnswer:
        """The answer of a leg as plugins leave it."""
        facts = self.facts
        hooks = [hook for hook in self._hooks.answered if hook.kinds is None or facts.kind in hook.kinds]
        self._note_answer(leg, answer)
        for hook in hooks:
            verdict = await hook.guard.ask(hook, facts, leg)
            if verdict is None:
                continue
            try:
                answer = self._changed(answer, verdict)
            except Unusable as problem:
                refusal = hook.guard.nonsense(hook, str(problem))
                if refusal is None:
                    continue
                answer = self._changed(answer, refusal)
            self.by = hook.guard.name
            self._note_answer(leg, answer)
        return answer

    async def told(self, leg: LegFacts, answer: HubAnswer | None) -> None:
        """Shows a leg of a broadcast that came back, or did not. Its sender has an answer already: what plugins say to
        this one changes nothing.
        """
        if answer is not None:
            self._note_answer(leg, answer)
        for hook in self._hooks.answered:
            if hook.kinds is None or self.facts.kind in hook.kinds:
                await hook.guard.ask(hook, self.facts, leg)

    @property
    def sees_legs(self) -> bool:
        return bool(self._hooks.forwarding)

    def _note_answer(self, leg: LegFacts, answer: HubAnswer) -> None:
        leg.http, leg.status_code = answer.http, answer.code
        leg.answer = self._content(answer)

    def _content(self, answer: HubAnswer) -> Content:
        return Content(answer.body, self._hooks.response, self._hooks.response_limit, streams=answer.rest is not None)

    def _changed(self, answer: HubAnswer, verdict: Verdict) -> HubAnswer:
        if isinstance(verdict, Reject):
            said = self._spoken.answer(verdict, self.facts.sender)
            if answer.rest is not None:
                answer.rest.close()
            return said
        assert isinstance(verdict, Change)  # noqa: S101 - the guard let nothing else through
        headers, body = usable_headers(verdict.headers), verdict.text
        if body is None:
            return HubAnswer(answer.http, answer.body, answer.code, answer.headers | headers, answer.rest)
        code = code_of(body)
        if answer.rest is not None:
            answer.rest.close()
        return HubAnswer(answer.http, body, code, answer.headers | headers)

    # --- RESULT ---

    async def result(self, result: Result) -> bytes | HubAnswer | None:
        """The body of an asynchronous result as plugins leave it; None when they leave it as it is. An answer when one
        of them must not be missing.
        """
        body: bytes | None = None
        for hook in self._hooks.result:
            if hook.kinds is not None and self.facts.kind not in hook.kinds:
                continue
            verdict = await hook.guard.ask(hook, self.facts, result)
            if isinstance(verdict, Change) and verdict.text is not None:
                try:
                    body = checked_json(verdict.text)
                except Unusable as problem:
                    verdict = hook.guard.nonsense(hook, str(problem))
            if isinstance(verdict, Reject):
                return self._spoken.answer(verdict, self.facts.sender)
        return body

    def result_content(self, body: bytes | None) -> Content:
        return Content(body, self._hooks.request, self._hooks.request_limit)

    @property
    def sees_results(self) -> bool:
        return bool(self._hooks.result)

    # --- FINISHED ---

    async def enter(self, key: ObjectKey | None) -> None:
        """Takes its place in the order of its object, before anything is sent; waits where LOSSLESS watchers are
        behind.
        """
        if self._entered:
            return
        self._entered = True
        for name in self._hooks.lossless:
            inbox = self._inboxes.get(name)
            if inbox is not None:
                self._tickets[name] = await inbox.enter(key, self.facts.module)

    def expect_legs(self, count: int) -> None:
        """So many legs go on after the answer."""
        self._legs_open = count
        if not count and self._answered:
            self._finish()

    def leg_over(self, leg: LegFacts | None = None) -> None:
        """One of them is done or skipped."""
        if leg is not None and leg not in self.facts.legs:
            self.facts.legs.append(leg)
        self._legs_open -= 1
        if self._legs_open == 0 and self._answered:
            self._finish()

    async def answered_with(self, answer: HubAnswer, seconds: float) -> None:
        """The requester has its answer."""
        facts = self.facts
        if facts.platform is not None:  # strangers must not be able to fill what holds everybody back
            await self.enter(None)
        self._answered = True
        facts.http, facts.status_code, facts.seconds = answer.http, answer.code, seconds
        if facts.kind is not Kind.CONFIGURATION:  # handshakes have tokens in their answers
            facts.answer = self._content(answer)
        if self._legs_open <= 0:
            self._finish()

    def given_up(self) -> None:
        """It ends without an answer: whoever wanted one is gone."""
        self.facts.outcome = self.facts.outcome or "given_up"
        self._answered = True
        if self._legs_open <= 0:
            self._finish()

    def nobody_asked(self) -> None:
        """There is nobody to answer: it is over when its last leg is."""
        self._answered = True

    def _finish(self) -> None:
        if self._over:
            return
        self._over = True
        self._under_way.count -= 1
        facts = self.facts
        for hook in self._hooks.finished:
            name = hook.guard.name
            inbox = self._inboxes.get(name)
            sees = hook.kinds is None or facts.kind in hook.kinds
            if name in self._tickets:
                ticket = self._tickets[name]
                if ticket is not None:
                    ticket.done(facts, hook if sees else None)
            elif inbox is not None and sees:
                inbox.put(facts, hook)

    def _said(self, hook: Hook, verdict: Answer | Reject) -> HubAnswer | None:
        try:
            said = self._spoken.answer(verdict, self.facts.sender)
        except Unusable as problem:
            refusal = hook.guard.nonsense(hook, str(problem))
            return None if refusal is None else self._spoken.answer(refusal, self.facts.sender)
        self.by = hook.guard.name
        return said
