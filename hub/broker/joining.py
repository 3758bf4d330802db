"""The handshake with the hub as Sender: registering at a platform, rotating tokens, announcing a changed hub (R-167,
R-178).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from hub.broker.ceremony import PATIENTLY_S, Ceremony
from hub.broker.outreach import Access, Discovery, Failed
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
CROSSED = "two handshakes at a time"


@dataclass(frozen=True, slots=True)
class Stopped:
    """The step that failed, and why."""

    step: str
    why: str


@dataclass(frozen=True, slots=True)
class _Agreed:
    """What the platform answered, and what is to be stored because of it. `issued` is the token the hub gave it,
    `registered_at` when the connection that stood before was made.
    """

    method: str
    answer: Credentials
    found: Discovery
    issued: InboundToken
    registered_at: datetime | None


class Joining:
    """Starts handshakes. A failure leaves the platform as it was (R-169); where nobody knows what the platform made of
    a request both tokens work, and an alarm says so.
    """

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
        now = ceremony.clock.now()
        # It ends by itself should the hub end before the handshake does.
        issued = replace(ceremony.inbound(token, TokenPurpose.CREDENTIALS, now), expires_at=now + handshake.TOKEN_GRACE)
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
                if answer.unknown:
                    self._keep_both(platform, issued, answer.why)
                else:
                    await self._take_back(platform, issued)
                return Stopped(f"{method} credentials", answer.why)
            return await self._conclude(platform, _Agreed(method, answer, found, issued, _registered_at(platform)))
        except (StoreUnavailable, StoreConflict, KeyUnusable) as problem:
            return Stopped("store", str(problem))

    def _keep_both(self, platform: Platform, issued: InboundToken, why: str) -> None:
        """The platform may use the new token from now on or never: it stays valid beside the old one."""
        ceremony = self._ceremony

        def keep(stored: Platform) -> Platform | None:
            kept = tuple(
                replace(token, expires_at=None) if token.fingerprint == issued.fingerprint else token
                for token in stored.tokens
            )
            return None if kept == stored.tokens else stored.changed(ceremony.clock.now(), tokens=kept)

        ceremony.alarms.sound(
            "handshake_unknown",
            platform.id,
            f"it may or may not have taken the hub's new credentials; rotate its tokens or invite it again: {why}",
        )
        write = ceremony.stored(lambda: ceremony.registry.change(platform.id, keep), PATIENTLY_S)
        ceremony.registry.in_background(write, lasting=True)

    async def _conclude(self, platform: Platform, agreed: _Agreed) -> Platform | Stopped:
        """Stores what was agreed; while the store is away, as soon as it is back."""
        try:
            result = await self._commit(platform, agreed)
            if isinstance(result, Stopped) and result.step == CROSSED:
                # Which tokens the platform kept, it alone knows.
                self._keep_both(platform, agreed.issued, result.why)
            return result
        except StoreConflict as conflict:
            if conflict.key != "revision":
                self._ceremony.alarms.sound("role_conflict", platform.id, f"a role it claims is taken: {conflict.key}")
                return await self._call_off(platform, agreed, f"one of its roles is taken: {conflict.key}")
            problem = str(conflict)
        except StoreUnavailable as away:
            problem = str(away)
        self._ceremony.alarms.sound(
            "handshake_unknown",
            platform.id,
            f"it took the hub's new credentials, which could not be stored yet; the hub goes on trying: {problem}",
            standing=True,
        )
        self._ceremony.registry.in_background(self._commit_later(platform, agreed), lasting=True)
        return Stopped("store", problem)

    async def _commit_later(self, platform: Platform, agreed: _Agreed) -> None:
        async def commit() -> Platform | Stopped:
            try:
                return await self._commit(platform, agreed)
            except StoreConflict as conflict:
                if conflict.key != "revision":
                    return await self._call_off(platform, agreed, f"one of its roles is taken: {conflict.key}")
                raise StoreUnavailable(str(conflict)) from None

        result = await self._ceremony.stored(commit, PATIENTLY_S)
        self._ceremony.alarms.clear("handshake_unknown", platform.id)
        if isinstance(result, Stopped):
            log.warning("a handshake was not stored", platform=platform.id, step=result.step, why=result.why)

    async def _commit(self, platform: Platform, agreed: _Agreed) -> Platform | Stopped:
        """One attempt to store; it may follow another that got through without anybody knowing."""
        ceremony, answer, found, issued = self._ceremony, agreed.answer, agreed.found, agreed.issued
        problems: list[str] = []
        before = [platform]
        overtaken = False

        def change(stored: Platform) -> Platform | None:
            nonlocal overtaken
            now = ceremony.clock.now()
            mine = [token for token in stored.tokens if token.fingerprint == issued.fingerprint]
            if mine and mine[0].expires_at is None:
                return None
            if not mine or _registered_at(stored) != agreed.registered_at:
                overtaken = stored.connection is not None
                problems.append("the platform registered anew or left meanwhile")
                return None
            flaw = ceremony.judge(stored, answer.roles) or handshake.judge_endpoints(
                [role.role for role in answer.roles], found.endpoints
            )
            if flaw is not None:
                problems.append(flaw.message)
                return None
            # A registration by the hub uses the platform's invitation up; new tokens alone leave it open (ruling 17).
            others = tuple(
                token
                for token in stored.tokens
                if token.fingerprint != issued.fingerprint
                and (agreed.method == "PUT" or token.purpose is TokenPurpose.CREDENTIALS)
            )
            lasting = replace(issued, expires_at=None)
            before.append(stored)
            return ceremony.connected(stored, answer, found, (*handshake.with_grace(others, now), lasting), now)

        changed = await ceremony.registry.change(platform.id, change)
        if overtaken:
            return Stopped(CROSSED, problems[0])
        if problems:
            return await self._call_off(platform, agreed, problems[0])
        if changed is None:
            return Stopped("store", "the platform was removed meanwhile")
        ceremony.forwarder.drop(platform.id)
        await ceremony.arrived(before[-1], changed)
        ceremony.parted(before[-1], changed)
        self._on_connected(platform.id)
        word = "hub registered at platform" if agreed.method == "POST" else "hub rotated tokens"
        log.info(word, platform=platform.id)
        return changed

    async def _call_off(self, platform: Platform, agreed: _Agreed, why: str) -> Stopped:
        await self._withdraw(platform, agreed.answer, agreed.found)
        try:
            await self._take_back(platform, agreed.issued)
        except (StoreUnavailable, StoreConflict) as problem:
            # It expires soon in any case.
            log.warning("a token could not be taken back yet", platform=platform.id, problem=str(problem))
        return Stopped("roles and endpoints", why)

    async def _withdraw(self, platform: Platform, answer: Credentials, found: Discovery) -> None:
        """The platform thinks it is registered: tell it otherwise, once, with the token it just gave."""
        url = handshake.find_endpoint(found.endpoints, CREDENTIALS)
        if url is not None:
            access = Access(answer.token, found.access.encoding)
            await self._ceremony.outreach.fetch(self._ceremony.registry.wire(platform), "DELETE", url, access)

    async def _take_back(self, platform: Platform, issued: InboundToken) -> None:
        def change(stored: Platform) -> Platform | None:
            kept = tuple(token for token in stored.tokens if token.fingerprint != issued.fingerprint)
            if kept == stored.tokens:
                return None
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
                if platform.connection is None or platform.plugin is not None:
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


def _registered_at(platform: Platform) -> datetime | None:
    return None if platform.connection is None else platform.connection.registered_at
