"""The OCPI door: one entry for every path below `/ocpi`; the version tables decide what is there."""

import asyncio
from dataclasses import dataclass

import structlog
from aiohttp import HttpVersion11, web

from hub.broker.answer import Answers
from hub.broker.client_info_list import ClientInfoList
from hub.broker.exchange import Arrival, Caller, Exchange, HubAnswer
from hub.broker.ids import message_id
from hub.broker.intake import REPORTS, Configuration, Functional, Intake
from hub.broker.legs import BY_PLUGIN, CUSTOM
from hub.broker.peer_reports import PeerReports
from hub.broker.plugins.watching import Watching
from hub.broker.registration import Registration
from hub.broker.version_info import VersionInfo
from hub.broker.walk import Walk
from hub.clock import Clock
from hub.metrics import Metrics
from hub.ocpi import envelope, headers
from hub.ocpi.envelope import Facts
from hub.ocpi.headers import HalfPair
from hub.ocpi.names import CREDENTIALS, FUNCTIONAL_MODULES, HUB_CLIENT_INFO, VERSIONS
from hub.ocpi.status import StatusCode
from hub.web import reply

log = structlog.get_logger("hub.ocpi")

PREFIX = "/ocpi/"
_WITH_BODY = ("POST", "PUT", "PATCH")
# Bytes of a command or charging profile. The largest one OCPI can express is a few kB; its response_url is looked for
# member by member, which must not take long.
MAX_COMMAND = 256 * 1024


@dataclass(frozen=True, slots=True)
class OcpiDoor:
    """What the door leads to. `max_body` is in bytes, `body_timeout_s` bounds receiving one."""

    intake: Intake
    walk: Walk
    registration: Registration
    version_info: VersionInfo
    client_info: ClientInfoList
    peer_reports: PeerReports
    watching: Watching
    answers: Answers
    metrics: Metrics
    clock: Clock
    max_body: int
    body_timeout_s: float

    async def serve(self, request: web.BaseRequest, target: str) -> web.StreamResponse:
        """Any request below `/ocpi`; `target` is its raw path and query. Whatever happens, the answer is an envelope
        with message ids (R-017, R-047, T-19).
        """
        arrival = Arrival(
            request_id=headers.usable_id(request.headers.get(headers.REQUEST_ID)) or message_id(),
            correlation_id=headers.usable_id(request.headers.get(headers.CORRELATION_ID)) or message_id(),
            started=self.clock.monotonic(),
            method=request.method,
            headers=request.headers,
        )
        self.metrics.in_flight += 1
        try:
            answer = await self._answer(request, target, arrival)
            response = await reply.write(request, answer, arrival.request_id, arrival.correlation_id)
        except Exception:
            # The boundary: a mistake of ours must not show its insides, nor end the hub.
            log.exception("a request failed", request_id=arrival.request_id, correlation_id=arrival.correlation_id)
            answer = self.answers.plain(
                500, StatusCode.SERVER_ERROR, "The hub made a mistake; its operator can find it"
            )
            response = await reply.write(request, answer, arrival.request_id, arrival.correlation_id)
        except BaseException:
            if arrival.watched is not None:
                arrival.watched.given_up()
            raise
        finally:
            self.metrics.in_flight -= 1
        if not self.watching.idle:
            await self.watching.finish(arrival, answer)
        return response

    async def _answer(self, request: web.BaseRequest, target: str, arrival: Arrival) -> HubAnswer:
        caller = self.intake.caller(request.headers)
        if isinstance(caller, HubAnswer):
            return caller
        arrival.caller = caller
        # The path as it came: aiohttp's own reading would decode it.
        path, _, arrival.query = target.partition("?")
        address = self.intake.address(path[len(PREFIX) :], request.method)
        if isinstance(address, HubAnswer):
            return self.intake.addressed(address, caller, path, request.headers)
        if isinstance(address, Configuration):
            return await self._configuration(request, caller, address, arrival)
        arrival.version, arrival.module, arrival.interface = address.version.version, address.module, address.interface
        arrival.tail = address.tail
        refusal = self.intake.may_route(caller)
        if refusal is not None:
            return refusal
        answer = await self._functional(request, caller, address, arrival)
        return answer if answer.code == StatusCode.OK else self.intake.addressed(answer, caller, path, request.headers)

    async def _functional(
        self, request: web.BaseRequest, caller: Caller, address: Functional, arrival: Arrival
    ) -> HubAnswer:
        routing = headers.read_routing(request.headers)
        if isinstance(routing, HalfPair) or None in routing:
            self._note_misspelt(request, caller)
        if isinstance(routing, HalfPair):
            return self.answers.plain(
                200, StatusCode.INVALID_PARAMETERS, f"Routing headers come in pairs: {routing.name} is missing"
            )
        arrival.to, arrival.sender = routing
        watched = self.watching.begin(arrival)
        if watched is not None and watched.asks_early:
            said = await watched.received_early()
            if said is not None:
                return self._by_plugin(arrival, said)
        received = await self._scanned(request, address)
        if isinstance(received, HubAnswer):
            return received
        body, facts = received
        exchange = Exchange(
            request_id=arrival.request_id,
            correlation_id=arrival.correlation_id,
            caller=caller,
            version=address.version.version,
            module=address.module,
            interface=address.interface,
            method=request.method,
            match=address.match,
            tail=address.tail,
            query=arrival.query,
            routing=routing,
            body=body,
            started=arrival.started,
            watched=watched,
        )
        if watched is not None:
            watched.body(body)
            if watched.asks_late:
                said = await watched.received_late()
                if said is not None:
                    return self._by_plugin(arrival, said)
        return await self.walk.serve(exchange, facts)

    def _by_plugin(self, arrival: Arrival, said: HubAnswer) -> HubAnswer:
        """Counts what a plugin answered before there was anything to route."""
        module = arrival.module if arrival.module in FUNCTIONAL_MODULES else CUSTOM
        self.metrics.count_message(BY_PLUGIN, module, BY_PLUGIN, self.clock.monotonic() - arrival.started, None)
        if arrival.watched is not None:
            arrival.watched.facts.outcome = BY_PLUGIN
        return said

    async def _scanned(self, request: web.BaseRequest, address: Functional) -> tuple[bytes | None, Facts] | HubAnswer:
        """The body and what a scan finds in it."""
        if request.method not in _WITH_BODY:
            return None, Facts.none()
        received = await self._body(request)
        if isinstance(received, HubAnswer):
            return received
        if not received:
            if address.match is not None and not address.match.shape.body_optional:
                return self.answers.plain(400, StatusCode.CLIENT_ERROR, "Not forwarded: the body is missing")
            return None, Facts.none()
        if address.match is not None and address.match.table.takes_response_url and len(received) > MAX_COMMAND:
            return self._too_large(MAX_COMMAND)
        scanned = envelope.scan_request(received)
        if isinstance(scanned, str):
            return self.answers.plain(400, StatusCode.CLIENT_ERROR, f"Not forwarded: {scanned}")
        return received, scanned

    def _note_misspelt(self, request: web.BaseRequest, caller: Caller) -> None:
        """A pair that is missing may be there under another name, which helps whoever connects a platform (T-33)."""
        unknown = headers.unknown_ocpi_headers(request.headers)
        if unknown:
            log.info("unknown OCPI headers", platform=caller.platform.id, names=unknown[:8])

    async def _configuration(
        self, request: web.BaseRequest, caller: Caller, address: Configuration, arrival: Arrival
    ) -> HubAnswer:
        arrival.module = _CONFIGURATION_NAMES[address.what]
        arrival.version = "" if address.version is None else address.version.version
        if address.version is None:
            return self.answers.data(self.version_info.versions())
        if address.what == "details":
            return self.answers.data(self.version_info.details(address.version, caller.platform))
        if address.what == CREDENTIALS:
            body = await self._body(request) if request.method in _WITH_BODY else None
            if isinstance(body, HubAnswer):
                return body
            return await self.registration.serve(caller, address.version.version, request.method, body)
        if address.what == REPORTS:
            return await self._report(request, caller, address.tail)
        refusal = self.intake.may_route(caller)
        return refusal or self.client_info.page(caller, address.version.version, arrival.query)

    async def _report(self, request: web.BaseRequest, caller: Caller, tail: str) -> HubAnswer:
        refusal = self.peer_reports.refusal(caller, request.method, tail) or self.intake.may_route(caller)
        if refusal is not None:
            return refusal
        if request.method == "GET":
            return self.peer_reports.shown(caller, tail)
        body = await self._body(request)
        return body if isinstance(body, HubAnswer) else await self.peer_reports.taken(caller, tail, body)

    async def _body(self, request: web.BaseRequest) -> bytes | HubAnswer:
        """The body, whole; 413 over the limit (after decompression), 408 when it does not arrive, 400 when it
        breaks.
        """
        if not request.body_exists:
            return b""
        if (request.content_length or 0) > self.max_body:
            return self._too_large()
        content = request.content
        if not content.is_eof() and request.headers.get("Expect", "").lower() == "100-continue":
            _go_on(request)
        if content.is_eof() and content.exception() is None and content.total_bytes <= self.max_body:
            return content.read_nowait()  # it came together with the head, as small bodies do
        try:
            async with asyncio.timeout(self.body_timeout_s):
                return await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._too_large()
        except TimeoutError:
            return self.answers.plain(408, StatusCode.CLIENT_ERROR, "The body did not arrive in time", _CLOSE)
        except (web.RequestPayloadError, ConnectionResetError):
            return self.answers.plain(400, StatusCode.CLIENT_ERROR, "The body cannot be read", _CLOSE)

    def _too_large(self, limit: int | None = None) -> HubAnswer:
        limit = self.max_body if limit is None else limit
        return self.answers.plain(
            413, StatusCode.CLIENT_ERROR, f"The body is larger than this hub takes here ({limit} bytes)", _CLOSE
        )


_CLOSE = {"Connection": "close"}
_CONFIGURATION_NAMES = {
    "versions": VERSIONS,
    "details": VERSIONS,
    CREDENTIALS: CREDENTIALS,
    HUB_CLIENT_INFO: HUB_CLIENT_INFO,
    REPORTS: HUB_CLIENT_INFO,
}


def _go_on(request: web.BaseRequest) -> None:
    """The client waits to be told that its body is wanted (RFC 9110, 10.1.1)."""
    if request.transport is not None and request.version == HttpVersion11:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
