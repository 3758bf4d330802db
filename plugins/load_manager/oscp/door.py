"""The hub's side of the wire: routes below `/oscp/fp/2.0`, who may call them, and what they answer. 204 when a message
was taken, else a status and `{"message": ...}`, and then nothing of it was applied.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from hub.plugin import Audience, HttpRequest, HttpResponse, HubApi, Route
from plugins.load_manager.oscp.book import ProviderBook, UnknownProvider
from plugins.load_manager.oscp.contact import Contact
from plugins.load_manager.oscp.forecasts import Forecasts
from plugins.load_manager.oscp.handshakes import Handshakes
from plugins.load_manager.oscp.heartbeats import Heartbeats
from plugins.load_manager.oscp.messages import (
    Handshake,
    Heartbeat,
    NotUsable,
    Register,
    read,
)
from plugins.load_manager.oscp.port import Refused
from plugins.load_manager.oscp.provider import Kind, Provider, State
from plugins.load_manager.oscp.registration import PATH, Registration
from plugins.load_manager.oscp.seen import Seen

ROOT = "/oscp/fp/2.0"
_LONGEST_ID = 128
_MOST_HEARTBEATS = 1_000
_MOST_REGISTRATIONS = 1_000
_LONGEST_TOKEN = 8 * 1024


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and what with."""

    provider: Provider
    fingerprint: str
    request_id: str
    request: HttpRequest


Serve = Callable[[Caller], Awaitable[None]]


class Door:
    """Lets capacity providers in."""

    def __init__(
        self,
        hub: HubApi,
        book: ProviderBook,
        *,
        registration: Registration,
        handshakes: Handshakes,
        contact: Contact,
        heartbeats: Heartbeats,
        forecasts: Forecasts,
    ) -> None:
        self._hub = hub
        self._book = book
        self._registration = registration
        self._handshakes = handshakes
        self._contact = contact
        self._heartbeats = heartbeats
        self._forecasts = forecasts
        self._seen: dict[tuple[str, bool], Seen] = {}
        self._registrations = Seen(_MOST_REGISTRATIONS)
        self._received = hub.counter(
            "oscp_received", "OSCP messages from capacity providers, by HTTP status.", ["message", "status"]
        )

    def routes(self) -> Iterable[Route]:
        """What is served, each for whoever has a token for it."""
        yield self._route("POST", PATH, self._register, "A capacity provider registers.")
        yield self._route("PUT", PATH, self._register, "A capacity provider changes its registration.")
        yield self._route("DELETE", PATH, self._unregister, "A capacity provider takes its leave.")
        yield self._route("POST", "handshake", self._handshake, "A capacity provider says what it wants of the hub.")
        for path in ("handshake_acknowledge", "handshake_acknowledgment"):
            yield self._route("POST", path, self._acknowledge, "A capacity provider answers the hub's handshake.")
        yield self._route("POST", "heartbeat", self._heartbeat, "A capacity provider is there.")
        yield self._route("POST", "update_group_capacity_forecast", self._forecast, "A forecast, or a segment of one.")

    def forget(self, provider_id: str) -> None:
        self._seen.pop((provider_id, True), None)
        self._seen.pop((provider_id, False), None)

    # --- one call ---

    def _route(self, method: str, path: str, serve: Serve, summary: str) -> Route:
        async def served(request: HttpRequest) -> HttpResponse:
            try:
                await self._let_in(request, path, serve)
                status, said = 204, HttpResponse(204)
            except Refused as refused:
                status, said = refused.status, _error(refused)
            self._received.add(message=path, status=str(status))
            return said

        return Route(method, f"{ROOT}/{path}", served, Audience.PLUGIN, summary)

    async def _let_in(self, request: HttpRequest, path: str, serve: Serve) -> None:
        fingerprint = self._fingerprint(request.headers.get("authorization"))
        owner = await self._book.owner(fingerprint)
        if owner is None:
            self._refuse_unless_repeated(request, fingerprint)
            return
        async with self._book.turn(owner):
            provider = await self._admitted(fingerprint, path, request.method)
            now, request_id = self._hub.now(), _request_id(request)
            seen = self._seen_of(provider.id, heartbeat=path == "heartbeat")
            if seen.has(request_id, now):
                return
            try:
                await serve(Caller(provider, fingerprint, request_id, request))
            except NotUsable as wrong:
                raise Refused(400, str(wrong)) from None
            except UnknownProvider:
                raise Refused(401, "the token is not valid here any more") from None
            seen.add(request_id, now)
            if fingerprint == provider.registration_token:
                self._registrations.add(f"{fingerprint} {request_id}", now)

    async def _admitted(self, fingerprint: str, path: str, method: str) -> Provider:
        """The provider as it is now, if it may call this path with this token."""
        provider = await self._book.current(fingerprint)
        if provider is None:
            raise Refused(401, "the token is not valid here any more")
        if provider.kind is Kind.NATIVE:
            raise Refused(403, "the token is not one for OSCP")
        if path == PATH and not provider.profile.registers:
            raise Refused(404, "the tokens of this connection were agreed beforehand")
        if fingerprint == provider.registration_token and (path, method) != (PATH, "POST"):
            raise Refused(403, "a registration token opens a registration and nothing else")
        if provider.state is State.REGISTERING and path != PATH:
            raise Refused(403, "the registration is not complete")
        return await self._without_former(provider, fingerprint)

    def _refuse_unless_repeated(self, request: HttpRequest, fingerprint: str) -> None:
        """A Register uses its token up; its sender, who may have missed the answer, has no other to ask again with."""
        request_id = request.headers.get("x-request-id", "").strip()
        if not self._registrations.has(f"{fingerprint} {request_id}", self._hub.now()):
            raise Refused(401, "the token is missing or not valid here")

    def _fingerprint(self, authorization: str | None) -> str:
        token = presented(authorization)
        if token is None:
            raise Refused(401, "the token is missing: send Authorization: Token <token>")
        return self._hub.secrets.fingerprint(token)

    def _seen_of(self, provider_id: str, *, heartbeat: bool) -> Seen:
        key = (provider_id, heartbeat)
        if key not in self._seen:
            self._seen[key] = Seen(_MOST_HEARTBEATS) if heartbeat else Seen()
        return self._seen[key]

    async def _without_former(self, provider: Provider, fingerprint: str) -> Provider:
        """The first use of a token ends the one before it."""
        if provider.former_inbound_token is None or fingerprint != provider.inbound_token:
            return provider
        return await self._book.change(provider.id, lambda one: one.with_(former_inbound_token=None), may_wait=True)

    # --- what each message does ---

    async def _register(self, caller: Caller) -> None:
        message = read(Register, caller.request.body)
        await self._registration.registered(caller.provider, caller.fingerprint, caller.request_id, message)

    async def _unregister(self, caller: Caller) -> None:
        await self._registration.unregistered(caller.provider)

    async def _handshake(self, caller: Caller) -> None:
        message = read(Handshake, caller.request.body or b"{}")
        await self._handshakes.requested(caller.provider, caller.request_id, message)

    async def _acknowledge(self, caller: Caller) -> None:
        message = read(Handshake, caller.request.body or b"{}")
        named = caller.request.headers.get("x-correlation-id")
        await self._handshakes.acknowledged(caller.provider, named, message)

    async def _heartbeat(self, caller: Caller) -> None:
        message = read(Heartbeat, caller.request.body)
        provider = await self._contact.heartbeat(caller.provider.id, message.offline_mode_at)
        self._heartbeats.follow(provider)

    async def _forecast(self, caller: Caller) -> None:
        request = caller.request
        await self._forecasts.updated(caller.provider, caller.request_id, request.headers, request.body)


def presented(authorization: str | None) -> str | None:
    """The token of an `Authorization` header; those who use OAuth 2 otherwise say Bearer."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    token = token.strip()
    known = scheme.lower() in ("token", "bearer") and 0 < len(token) <= _LONGEST_TOKEN
    return token if known else None


def _request_id(request: HttpRequest) -> str:
    found = request.headers.get("x-request-id", "").strip()
    if not found or len(found) > _LONGEST_ID:
        raise Refused(400, f"X-Request-ID is missing, or longer than {_LONGEST_ID} characters")
    return found


def _error(refused: Refused) -> HttpResponse:
    headers = {"X-Error-Message": refused.message} if refused.status == 501 and refused.message.isascii() else {}
    if refused.status == 401:
        headers["WWW-Authenticate"] = "Token"
    return HttpResponse(refused.status, {"message": refused.message}, headers)
