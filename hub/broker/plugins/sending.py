"""Messages that plugins send themselves: over the same walk as everybody's, in the name of a party they play."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from hub.broker.callbacks import Callbacks
from hub.broker.exchange import Arrival, Caller, Exchange, HubAnswer
from hub.broker.ids import message_id
from hub.broker.intake import Intake
from hub.broker.plugins.json_text import json_text
from hub.broker.plugins.local_ids import platform_of, taken_id
from hub.broker.plugins.local_parties import result_url
from hub.broker.plugins.watching import Watching
from hub.broker.registry import RegistryKeeper
from hub.broker.returning import ReturningUrls
from hub.broker.walk import Walk
from hub.clock import Clock
from hub.domain.outcome import StreamBroken
from hub.domain.platform import InboundToken, Platform, TokenPurpose
from hub.ocpi import codec, envelope, names, urls
from hub.ocpi.envelope import Facts
from hub.ocpi.headers import Routing
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode
from hub.ocpi.versions import SERVED
from hub.plugin.guard import DEPTH
from hub.plugin.hub_api import NotAllowed
from hub.plugin.verdicts import Answer
from hub.store.records import Callback
from hub.store.vault import Vault

MOST_ANSWER = 20 * 1024 * 1024
# A plugin may send from within a hook, which another plugin sees and sends from within its own, and so on.
MOST_DEPTH = 4
_IN_QUERY = ("GET", "DELETE")


class Request:
    """What a plugin wants sent."""

    __slots__ = ("body", "context", "interface", "method", "module", "path", "query", "timeout_s", "to")

    def __init__(self, to: PartyId | None, module: str, interface: Interface, method: str, path: str) -> None:
        self.to = to
        self.module = module
        self.interface = interface
        self.method = method
        self.path = path.lstrip("/")
        self.query = ""
        self.body: object = None
        self.context: object = None
        self.timeout_s: float | None = None


class Sending:
    """Sends for all plugins."""

    def __init__(
        self,
        *,
        registry: RegistryKeeper,
        intake: Intake,
        walk: Walk,
        returning: ReturningUrls,
        callbacks: Callbacks,
        watching: Watching,
        contexts: Vault,
        clock: Clock,
    ) -> None:
        """`contexts` seals what comes back with asynchronous results."""
        self._contexts = contexts
        self._registry = registry
        self._intake = intake
        self._walk = walk
        self._returning = returning
        self._callbacks = callbacks
        self._watching = watching
        self._clock = clock

    async def send(self, plugin: str, as_party: PartyId | None, request: Request) -> Answer:
        """Raises NotAllowed, ValueError. Whatever happens to the message is an answer."""
        if not urls.printable(f"{request.path}{request.query}") or set(request.path) & set("?#"):
            raise ValueError("path and query must be percent-encoded, and the query stand on its own")
        platform = self._registry.snapshot.platform(platform_of(plugin))
        sender = self._sender(platform, plugin, as_party)
        assert platform is not None  # noqa: S101 - it hosts the sender
        version = next(reversed(SERVED.values()))
        address = self._intake.functional(version, request.module, request.interface, request.path, request.method)
        if isinstance(address, HubAnswer):
            return _answer(address)
        takes_url = address.match is not None and address.match.table.takes_response_url
        body, query = self._written(request, platform.id if takes_url else None)
        scanned = Facts.none() if body is None else envelope.scan_request(body)
        if isinstance(scanned, str):
            raise ValueError(scanned)  # noqa: TRY004 - a sentence, not a type
        arrival = self._arrival(platform, plugin, request.method)
        arrival.version, arrival.module, arrival.interface = version.version, request.module, request.interface
        arrival.tail, arrival.query = request.path, query
        arrival.to, arrival.sender = request.to, sender
        exchange = Exchange(
            request_id=arrival.request_id,
            correlation_id=arrival.correlation_id,
            caller=_caller(platform, self._clock),
            version=version.version,
            module=request.module,
            interface=request.interface,
            method=request.method,
            match=address.match,
            tail=request.path,
            query=query,
            routing=Routing(request.to, sender),
            body=body,
            started=arrival.started,
            timeout_s=request.timeout_s,
        )
        return await self._sent(arrival, exchange, lambda: self._walk.serve(exchange, scanned), request.timeout_s)

    async def deliver(self, plugin: str, handle: str, result: object) -> Answer:
        """Raises NotAllowed, ValueError, StoreUnavailable."""
        platform_id = platform_of(plugin)
        callback = await self._callbacks.owed(taken_id(plugin, handle), platform_id)
        if callback is None:
            raise NotAllowed("this handle is not of this plugin, or the time in which its result may come is over")
        seats = self._registry.snapshot.seats_of(callback.receiver.party)
        if seats and all(seat.platform.suspended or seat.role.suspended for seat in seats):
            raise NotAllowed(f"{callback.receiver.party}, who was asked, is suspended at this hub")
        body = result if isinstance(result, bytes) else json_text(result, "the result")
        found = envelope.scan_request(body)
        if isinstance(found, str):
            raise ValueError(found)  # noqa: TRY004 - a sentence, not a type
        now = self._clock.now()
        platform = Platform(platform_id, f"plugin {plugin}", now, now, now, plugin=plugin)
        arrival = self._arrival(platform, plugin, "POST")
        exchange = self._result_exchange(arrival, platform, callback, body)
        return await self._sent(arrival, exchange, lambda: self._returning.home(exchange, callback), None)

    def _result_exchange(self, arrival: Arrival, platform: Platform, callback: Callback, body: bytes) -> Exchange:
        tail = f"{callback.operation}/{callback.id}" if callback.module == names.COMMANDS else callback.id
        arrival.version, arrival.module, arrival.interface = next(reversed(SERVED)), callback.module, Interface.SENDER
        arrival.tail, arrival.to, arrival.sender = tail, callback.issuer.party, callback.receiver.party
        return Exchange(
            request_id=arrival.request_id,
            correlation_id=arrival.correlation_id,
            caller=_caller(platform, self._clock),
            version=arrival.version,
            module=callback.module,
            interface=Interface.SENDER,
            method="POST",
            match=None,
            tail=tail,
            query="",
            routing=Routing(callback.issuer.party, callback.receiver.party),
            body=body,
            started=arrival.started,
        )

    async def _sent(
        self,
        arrival: Arrival,
        exchange: Exchange,
        serve: Callable[[], Awaitable[HubAnswer]],
        timeout_s: float | None,
    ) -> Answer:
        depth = DEPTH.get()
        if depth >= MOST_DEPTH:
            raise NotAllowed("plugins send because of each other's messages: this one would be one too many")
        token = DEPTH.set(depth + 1)
        try:
            async with asyncio.timeout(None if timeout_s is None else timeout_s + 1.0):
                answer = await self._watched(arrival, exchange, serve)
        except TimeoutError:
            return Answer(StatusCode.TIMEOUT_ON_FORWARD, message="The message took longer than its sender waits")
        finally:
            DEPTH.reset(token)
        return _answer(answer)

    async def _watched(
        self, arrival: Arrival, exchange: Exchange, serve: Callable[[], Awaitable[HubAnswer]]
    ) -> HubAnswer:
        """The message's walk as the other plugins see it."""
        watched = exchange.watched = self._watching.begin(arrival)
        try:
            answer = None if watched is None else await watched.received_early()
            if watched is not None:
                watched.body(exchange.body)
                answer = answer or await watched.received_late()
            if answer is None:
                answer = await serve()
            answer = await self._whole(answer)
        except BaseException:
            if watched is not None:
                watched.given_up()
            raise
        await self._watching.finish(arrival, answer)
        return answer

    def _written(self, request: Request, platform_id: str | None) -> tuple[bytes | None, str]:
        """Body and query as they go out. With a platform id, the way back to the plugin is in one of them."""
        query, body = request.query, request.body
        if platform_id is not None:
            url = result_url(platform_id, request.context, self._contexts)
            if request.method in _IN_QUERY:
                query = urls.with_query_value(query, "response_url", url)
            else:
                members = codec.loads(body) if isinstance(body, bytes) else ({} if body is None else body)
                if not isinstance(members, dict):
                    raise ValueError("the body must be an object: the hub puts the response_url in")
                body = {**members, "response_url": url}
        elif request.context is not None:
            raise ValueError("a context comes back with an asynchronous result; this request has none")
        return body if body is None or isinstance(body, bytes) else json_text(body, "the body"), query

    async def _whole(self, answer: HubAnswer) -> HubAnswer:
        """The answer with all of its body."""
        rest = answer.rest
        if rest is None:
            return answer
        pieces, size = [answer.body], len(answer.body)
        try:
            async for piece in rest:
                pieces.append(piece)
                size += len(piece)
                if size > MOST_ANSWER:
                    break
        except StreamBroken:
            size = MOST_ANSWER + 1
        finally:
            rest.close()
        if size > MOST_ANSWER:
            now = self._clock.now()
            body = envelope.render(StatusCode.HUB_ERROR, "The answer broke off, or is too large", now=now)
            return HubAnswer(200, body, int(StatusCode.HUB_ERROR))
        body = b"".join(pieces)
        return replace(answer, body=body, code=envelope.status_code_of(body), rest=None)

    def _arrival(self, platform: Platform, plugin: str, method: str) -> Arrival:
        return Arrival(
            request_id=message_id(),
            correlation_id=message_id(),
            started=self._clock.monotonic(),
            method=method,
            headers={},
            caller=_caller(platform, self._clock),
            sent_by=plugin,
            depth=DEPTH.get() + 1,
        )

    def _sender(self, platform: Platform | None, plugin: str, as_party: PartyId | None) -> PartyId:
        parties = () if platform is None else tuple(dict.fromkeys(role.party for role in platform.roles))
        if platform is None or not parties:
            raise NotAllowed(f"the plugin {plugin} plays no party, so it cannot send: give it one in parties()")
        if platform.suspended:
            raise NotAllowed(f"the parties of the plugin {plugin} are suspended")
        if as_party is None:
            if len(parties) > 1:
                raise NotAllowed("the plugin plays several parties: say which one sends, with as_party")
            return parties[0]
        if as_party not in parties:
            raise NotAllowed(f"the plugin {plugin} does not play {as_party}")
        return as_party


def _caller(platform: Platform, clock: Clock) -> Caller:
    return Caller(platform, InboundToken("", TokenPurpose.CREDENTIALS, clock.now()), "")


def _answer(answer: HubAnswer) -> Answer:
    code = answer.code if answer.code is not None else envelope.status_code_of(answer.body)
    return Answer(code or 0, http=answer.http, headers=answer.headers, body=answer.body)
