"""The handshake with the hub as Sender: registering at a platform, rotating tokens, announcing a changed hub (R-167,
R-178).
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from hub.broker.outreach import Access, Discovery, Failed
from hub.broker.registration import Ceremony, with_grace
from hub.domain import handshake
from hub.domain.handshake import Flaw
from hub.domain.platform import InboundToken, Platform, TokenPurpose
from hub.errors import HubError, KeyUnusable, StoreConflict, StoreUnavailable
from hub.ocpi.configuration import Credentials
from hub.ocpi.names import CREDENTIALS
from hub.ocpi.token import new_token
from hub.store.ports import KeyStore

log = structlog.get_logger("hub.joining")

ANNOUNCED = "announced_identity"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The step that failed, and why."""

    step: str
    why: str


class Joining:
    """Starts handshakes. Every failure leaves the platform as it was (R-169)."""

    def __init__(self, ceremony: Ceremony, keys: KeyStore, on_connected: Callable[[str], None]) -> None:
        self._ceremony = ceremony
        self._keys = keys
        self._on_connected = on_connected

    async def connect(self, platform: Platform, versions_url: str, registration_token: str) -> Platform | Stopped:
        """Registers at a platform with the token it gave us. It must be known here and not registered."""
        accesses = [Access(registration_token, encoding) for encoding in self._ceremony.encodings(platform)]
        return await self._shake(platform, "POST", versions_url, accesses, None)

    async def rotate(self, platform: Platform) -> Platform | Stopped:
        """PUT of new credentials: fresh tokens both ways, endpoints read again."""
        connection = platform.connection
        if connection is None:
            return Stopped("start", "the platform is not registered")
        try:
            token = self._ceremony.vault.open(connection.sealed_token)
        except KeyUnusable as problem:
            return Stopped("start", str(problem))
        access = Access(token, connection.token_encoding)
        return await self._shake(platform, "PUT", connection.versions_url, [access], connection.version)

    async def _shake(
        self, platform: Platform, method: str, versions_url: str, accesses: list[Access], version: str | None
    ) -> Platform | Stopped:
        ceremony = self._ceremony
        found = await ceremony.discover(platform, versions_url, accesses, version)
        if isinstance(found, Flaw):
            return Stopped("versions and details", found.message)
        url = handshake.find_endpoint(found.endpoints, CREDENTIALS)
        if url is None:
            return Stopped("version details", "the platform lists no credentials endpoint")
        token = new_token()
        issued = ceremony.inbound(token, TokenPurpose.CREDENTIALS, ceremony.clock.now())
        try:
            # The platform calls back while our request is open, so its new token must work before that (step 3).
            await ceremony.registry.change(
                platform.id, lambda stored: stored.changed(ceremony.clock.now(), tokens=(*stored.tokens, issued))
            )
            wire = ceremony.registry.wire(platform)
            answer = await ceremony.outreach.credentials(
                wire, method, url, found.access, ceremony.identity.credentials(token)
            )
            if isinstance(answer, Failed):
                await self._take_back(platform, issued)
                return Stopped(f"{method} credentials", answer.why)
            return await self._commit(platform, method, answer, found, issued)
        except (StoreUnavailable, StoreConflict, KeyUnusable) as problem:
            return Stopped("store", str(problem))

    async def _commit(
        self, platform: Platform, method: str, answer: Credentials, found: Discovery, issued: InboundToken
    ) -> Platform | Stopped:
        ceremony = self._ceremony
        flaws: list[Flaw] = []

        def change(stored: Platform) -> Platform | None:
            now = ceremony.clock.now()
            flaw = ceremony.judge(stored, answer.roles) or handshake.judge_endpoints(
                [role.role for role in answer.roles], found.endpoints
            )
            if flaw is not None:
                flaws.append(flaw)
                return None
            others = tuple(token for token in stored.tokens if token.fingerprint != issued.fingerprint)
            return ceremony.connected(stored, answer, found, (*with_grace(others, now), issued), now)

        changed = await ceremony.registry.change(platform.id, change)
        if flaws:
            await self._withdraw(platform, answer, found)
            await self._take_back(platform, issued)
            return Stopped("roles and endpoints", flaws[0].message)
        if changed is None:
            return Stopped("store", "the platform was removed meanwhile")
        ceremony.forwarder.drop(platform.id)
        self._on_connected(platform.id)
        log.info("hub registered at platform" if method == "POST" else "hub rotated tokens", platform=platform.id)
        return changed

    async def _withdraw(self, platform: Platform, answer: Credentials, found: Discovery) -> None:
        """The platform thinks it is registered: tell it otherwise, once, with the token it just gave."""
        url = handshake.find_endpoint(found.endpoints, CREDENTIALS)
        if url is not None:
            access = Access(answer.token, found.access.encoding)
            await self._ceremony.outreach.fetch(self._ceremony.registry.wire(platform), "DELETE", url, access)

    async def _take_back(self, platform: Platform, issued: InboundToken) -> None:
        def change(stored: Platform) -> Platform | None:
            kept = tuple(token for token in stored.tokens if token.fingerprint != issued.fingerprint)
            return stored.changed(self._ceremony.clock.now(), tokens=kept)

        await self._ceremony.registry.change(platform.id, change)

    async def announce(self) -> None:
        """Tells every registered platform when URL or party of the hub changed since the last start, then remembers
        it.
        """
        identity = self._ceremony.identity
        vault = self._ceremony.vault
        try:
            sealed = await self._keys.put_if_absent(ANNOUNCED, vault.seal(identity.fingerprint))
            if vault.open(sealed) == identity.fingerprint:
                return
            told = 0
            for platform in self._ceremony.registry.snapshot.platforms:
                if platform.connection is None:
                    continue
                result = await self.rotate(platform)
                if isinstance(result, Stopped):
                    self._ceremony.alarms.sound(
                        "announcement_failed",
                        platform.id,
                        f"it was not told the hub's new address: {result.step}: {result.why}",
                    )
                else:
                    told += 1
            await self._keys.swap(ANNOUNCED, sealed, vault.seal(identity.fingerprint))
            log.info("announced the hub's changed URL or party", platforms=told)
        except HubError as problem:
            self._ceremony.alarms.sound("announcement_failed", "hub", str(problem))
