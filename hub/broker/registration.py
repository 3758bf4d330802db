"""The credentials module: GET, POST, PUT and DELETE by a platform, the hub being the Receiver (R-167 to R-183).

POST and PUT answer only after the connect-back succeeded, and nothing is stored before that: a failed handshake leaves
every token, role and endpoint as it was. The one store write at the end is conditional on the platform's revision, so
that a registration token works once even when it is presented twice at the same time.
"""

from collections.abc import Callable
from typing import Any

import structlog

from hub.broker.answer import Answers
from hub.broker.ceremony import PATIENTLY_S, SHORTLY_S, Ceremony
from hub.broker.exchange import Caller, HubAnswer
from hub.broker.outreach import Access, Discovery
from hub.domain import handshake
from hub.domain.handshake import Attempt, Flaw
from hub.domain.platform import Platform, TokenPurpose
from hub.errors import KeyUnusable, StoreConflict, StoreUnavailable
from hub.ocpi import codec, configuration
from hub.ocpi.configuration import Credentials
from hub.ocpi.status import StatusCode
from hub.ocpi.token import new_token

log = structlog.get_logger("hub.registration")

UNREGISTERED_ALLOW = "GET, POST"
REGISTERED_ALLOW = "GET, PUT, DELETE"


class Registration:
    """Serves the credentials endpoint of each version. `on_connected` is told the ids of platforms that registered."""

    def __init__(self, ceremony: Ceremony, answers: Answers, on_connected: Callable[[str], None]) -> None:
        self._ceremony = ceremony
        self._answers = answers
        self._on_connected = on_connected

    async def serve(self, caller: Caller, version: str, method: str, body: bytes | None) -> HubAnswer:
        """One credentials request of an authenticated caller, in the version whose endpoint was called."""
        registering = caller.token.purpose is TokenPurpose.REGISTRATION
        if method == "GET":
            return self._answers.data(self._shown(caller.presented))
        allowed = ("POST",) if registering else ("PUT", "DELETE")
        if method not in allowed:
            return self._answers.plain(
                405,
                StatusCode.CLIENT_ERROR,
                "You are not registered yet" if registering else "You are registered already; use PUT to change it",
                {"Allow": UNREGISTERED_ALLOW if registering else REGISTERED_ALLOW},
            )
        try:
            if method == "DELETE":
                return await self._delete(caller)
            return await self._exchange(caller, version, body, registering=registering)
        except StoreUnavailable:
            return self._answers.plain(200, StatusCode.SERVER_ERROR, "The hub's store is away; try again later")
        except StoreConflict as conflict:
            return self._conflict(caller.platform, conflict)

    def _shown(self, token: str) -> dict[str, Any]:
        shown: dict[str, Any] = self._ceremony.identity.credentials(token).model_dump(mode="json", exclude_none=True)
        return shown

    def _flaw(self, flaw: Flaw) -> HubAnswer:
        return self._answers.plain(200, flaw.code, flaw.message)

    def _conflict(self, platform: Platform, conflict: StoreConflict) -> HubAnswer:
        if conflict.key == "revision":
            return self._answers.plain(
                200, StatusCode.SERVER_ERROR, "Your platform is being changed by others; try again"
            )
        self._ceremony.alarms.sound("role_conflict", platform.id, f"a role it claims is taken: {conflict.key}")
        return self._answers.plain(
            200, StatusCode.INVALID_PARAMETERS, "One of the roles belongs to another platform; nothing was changed"
        )

    async def _exchange(self, caller: Caller, version: str, body: bytes | None, *, registering: bool) -> HubAnswer:
        ceremony, platform = self._ceremony, caller.platform
        if len(body or b"") > configuration.MAX_CREDENTIALS:
            return self._answers.plain(
                413, StatusCode.CLIENT_ERROR, f"Credentials have at most {configuration.MAX_CREDENTIALS} bytes"
            )
        try:
            given = codec.loads(body or b"")
        except codec.NotJson as problem:
            return self._answers.plain(400, StatusCode.CLIENT_ERROR, f"The body is not JSON: {problem}")
        credentials = configuration.read(Credentials, given)
        if isinstance(credentials, str):
            return self._answers.plain(200, StatusCode.INVALID_PARAMETERS, credentials)
        flaw = ceremony.judge(platform, credentials.roles)
        if flaw is not None:
            return self._flaw(flaw)
        accesses = self._accesses(platform, credentials, registering=registering)
        found = await ceremony.discover(platform, credentials.url, accesses, version)
        if isinstance(found, Flaw):
            return self._failed(platform, found)
        flaw = handshake.judge_endpoints([role.role for role in credentials.roles], found.endpoints)
        if flaw is not None:
            return self._failed(platform, flaw)
        return await self._commit(caller, credentials, found, registering=registering)

    def _accesses(self, platform: Platform, credentials: Credentials, *, registering: bool) -> list[Access]:
        """The new token in every encoding; on PUT the token in use last, in case the platform switches later (R-176).
        That one is shown only to a server known as the platform's: whoever got hold of a token must not get the other.
        """
        accesses = [Access(credentials.token, encoding) for encoding in self._ceremony.encodings(platform)]
        known = self._ceremony.registry.snapshot.owns_url(platform, credentials.url)
        if platform.connection is not None and known and not registering:
            try:
                old = self._ceremony.vault.open(platform.connection.sealed_token)
            except KeyUnusable:
                return accesses
            accesses.append(Access(old, platform.connection.token_encoding))
        return accesses

    def _failed(self, platform: Platform, flaw: Flaw) -> HubAnswer:
        log.info("handshake failed", platform=platform.id, status_code=int(flaw.code), why=flaw.message)
        return self._flaw(flaw)

    async def _commit(
        self, caller: Caller, credentials: Credentials, found: Discovery, *, registering: bool
    ) -> HubAnswer:
        ceremony = self._ceremony
        token = new_token()
        issued = ceremony.inbound(token, TokenPurpose.CREDENTIALS, ceremony.clock.now())
        refusal: list[HubAnswer] = []
        attempts: list[Attempt] = []

        def change(stored: Platform) -> Platform | None:
            now = ceremony.clock.now()
            if issued.fingerprint in handshake.fingerprints(stored):
                return None  # an attempt nobody knew of got through
            if all(known.fingerprint != caller.token.fingerprint for known in stored.tokens):
                refusal.append(unauthorized(self._answers))
                return None
            flaw = ceremony.judge(stored, credentials.roles)
            if flaw is not None:
                refusal.append(self._flaw(flaw))
                return None
            kept = () if registering else handshake.with_grace(stored.tokens, now)
            changed = ceremony.connected(stored, credentials, found, (*kept, issued), now)
            attempts.append(Attempt(stored, changed, issued.fingerprint))
            return changed

        platform_id = caller.platform.id
        try:
            changed = await ceremony.stored(lambda: ceremony.registry.change(platform_id, change), SHORTLY_S)
        except StoreUnavailable:
            if attempts:
                ceremony.alarms.sound(
                    "handshake_unknown",
                    platform_id,
                    "the store did not say whether its new credentials are kept; the hub will go back to the old ones",
                    standing=True,
                )
                ceremony.registry.in_background(self._undo(platform_id, attempts), lasting=True)
            raise
        if refusal:
            return refusal[0]
        if changed is None:
            return unauthorized(self._answers)
        ceremony.forwarder.drop(changed.id)
        await ceremony.arrived(attempts[-1].before, changed)
        ceremony.parted(attempts[-1].before, changed)
        self._on_connected(changed.id)
        log.info(
            "platform registered" if registering else "platform updated its credentials",
            platform=changed.id,
            version=found.version,
            roles=[f"{role.role.value} {role.party}" for role in changed.roles],
        )
        return self._answers.data(self._shown(token))

    async def _undo(self, platform_id: str, attempts: list[Attempt]) -> None:
        """The platform was told that nothing changed: makes that true as soon as the store answers."""
        ceremony = self._ceremony

        def undo(stored: Platform) -> Platform:
            return handshake.undone(stored, attempts, ceremony.clock.now())

        await ceremony.stored(lambda: ceremony.registry.change(platform_id, undo), PATIENTLY_S)
        ceremony.forwarder.drop(platform_id)
        ceremony.alarms.clear("handshake_unknown", platform_id)
        log.info("a handshake that could not be stored is undone", platform=platform_id)

    async def _delete(self, caller: Caller) -> HubAnswer:
        """Both directions stop; the roles stay known as SUSPENDED (R-177)."""
        ceremony = self._ceremony
        await ceremony.registry.change(
            caller.platform.id, lambda stored: handshake.unregistered(stored, ceremony.clock.now())
        )
        ceremony.registry.in_background(ceremony.callbacks.remove_of(caller.platform.id))
        ceremony.forwarder.drop(caller.platform.id)
        log.info("platform unregistered", platform=caller.platform.id)
        return self._answers.plain(200, StatusCode.OK)


def unauthorized(answers: Answers) -> HubAnswer:
    """HTTP 401 with the envelope and the scheme to use (R-007)."""
    return answers.plain(
        401,
        StatusCode.CLIENT_ERROR,
        "Missing or unknown credentials token",
        {"WWW-Authenticate": "Token"},
    )
