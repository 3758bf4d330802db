"""What an operator does to platforms and parties: invite, connect, approve, suspend, rotate, set, move, remove.

Every change goes through the registry keeper (store first, memory second). What cannot be done is a `Refusal`; a store
that is away raises StoreUnavailable. A token is in the result of the call that made it and nowhere else.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from hub.broker import moving, operator_changes
from hub.broker.alarms import Alarm
from hub.broker.ceremony import Ceremony
from hub.broker.ids import platform_id as new_platform_id
from hub.broker.joining import Joining, Stopped
from hub.broker.liveness import LivenessBoard
from hub.broker.operator_changes import Change, conflicting, taken, unknown
from hub.broker.platform_settings import SettingsChange, applied, problem_with
from hub.broker.pulls import Pulls
from hub.broker.refusal import Refusal, RefusalKind
from hub.broker.removal import Removal, Removed
from hub.broker.reservations import bad_name, bad_roles
from hub.domain.platform import HostedRole, Platform, RoleName, TokenPurpose
from hub.domain.registry import RegistrySnapshot
from hub.errors import StoreConflict
from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.token import acceptable, new_token

log = structlog.get_logger("hub.operations")


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation: the registration token is shown here once."""

    platform: Platform
    registration_token: str = field(repr=False)


class Operations:
    """The operator's calls. Two handshakes with one platform never run at the same time."""

    def __init__(self, ceremony: Ceremony, joining: Joining, liveness: LivenessBoard, pulls: Pulls) -> None:
        self._ceremony = ceremony
        self._registry = ceremony.registry
        self._joining = joining
        self._liveness = liveness
        self._removal = Removal(ceremony, liveness, pulls)
        self._shaking_hands: set[str] = set()

    @property
    def _now(self) -> datetime:
        return self._ceremony.clock.now()

    @property
    def _snapshot(self) -> RegistrySnapshot:
        return self._registry.snapshot

    # --- invitations and handshakes ---

    async def invite(self, name: str, roles: Sequence[RoleName] = ()) -> Invited | Refusal:
        """A new platform with a registration token. Its roles are reserved; without any it may claim free ones."""
        name = name.strip()
        refusal = bad_name(name) or self._bad_roles(roles)
        if refusal is not None:
            return refusal
        now = self._now
        token = new_token()
        platform = Platform(
            id=new_platform_id(),
            name=name,
            created_at=now,
            updated_at=now,
            status_changed_at=now,
            approved=tuple(roles),
            open_roles=not roles,
            tokens=(self._ceremony.inbound(token, TokenPurpose.REGISTRATION, now),),
        )
        try:
            await self._registry.add(platform)
        except StoreConflict as conflict:
            return taken(conflict)
        log.info("platform invited", platform=platform.id, name=name, roles=[str(role) for role in roles])
        return Invited(platform, token)

    def _of_plugin(self, platform_id: str) -> Refusal | None:
        """What the hub itself plays is set up in its plugin's configuration, not by handshakes."""
        platform = self._snapshot.platform(platform_id)
        if platform is None or platform.plugin is None:
            return None
        return conflicting(f"This platform is the plugin {platform.plugin}'s: its configuration says who it plays")

    async def reinvite(self, platform_id: str) -> Invited | Refusal:
        """Another registration token; one that was not used stops working. For a registered platform it opens one
        re-registration that keeps everything (ruling 17).
        """
        ours = self._of_plugin(platform_id)
        if ours is not None:
            return ours
        token = new_token()

        def change(stored: Platform) -> Platform:
            now = self._now
            issued = self._ceremony.inbound(token, TokenPurpose.REGISTRATION, now)
            kept = tuple(known for known in stored.tokens if known.purpose is not TokenPurpose.REGISTRATION)
            return stored.changed(now, tokens=(*kept, issued))

        changed = await self._change(platform_id, change)
        if isinstance(changed, Refusal):
            return changed
        log.info("platform invited again", platform=platform_id)
        return Invited(changed, token)

    async def connect(self, platform_id: str, versions_url: str, registration_token: str) -> Platform | Refusal:
        """The handshake with the hub as Sender, with the token the platform gave (R-167)."""
        platform = self._snapshot.platform(platform_id)
        if platform is None:
            return unknown(platform_id)
        if (ours := self._of_plugin(platform_id)) is not None:
            return ours
        if platform.connection is not None:
            return conflicting("The platform is registered already; rotate its tokens, or remove it first")
        if not acceptable(registration_token):
            title = "A registration token has 1 to 64 printable ASCII characters without spaces"
            return Refusal(RefusalKind.INVALID, title, pointer="/registration_token")
        problem = self._ceremony.outreach.url_problem(versions_url)
        if problem is not None:
            title = f"The versions URL cannot be used: {problem}"
            return Refusal(RefusalKind.INVALID, title, pointer="/versions_url")
        async with self._one_handshake(platform_id) as free:
            if not free:
                return _BUSY
            return self._shaken(await self._joining.connect(platform, versions_url, registration_token))

    async def rotate(self, platform_id: str) -> Platform | Refusal:
        """New tokens both ways by PUT credentials (R-178)."""
        platform = self._snapshot.platform(platform_id)
        if platform is None:
            return unknown(platform_id)
        if (ours := self._of_plugin(platform_id)) is not None:
            return ours
        if platform.connection is None:
            return conflicting("The platform is not registered, so there are no tokens to rotate")
        async with self._one_handshake(platform_id) as free:
            if not free:
                return _BUSY
            return self._shaken(await self._joining.rotate(platform))

    @asynccontextmanager
    async def _one_handshake(self, platform_id: str) -> AsyncIterator[bool]:
        if platform_id in self._shaking_hands:
            yield False
            return
        self._shaking_hands.add(platform_id)
        try:
            yield True
        finally:
            self._shaking_hands.discard(platform_id)

    def _shaken(self, result: Platform | Stopped) -> Platform | Refusal:
        if isinstance(result, Stopped):
            return Refusal(RefusalKind.FAILED, f"The handshake failed at this step: {result.step}", result.why)
        self._liveness.heard(result.id)
        return result

    # --- roles, standing and settings ---

    async def approve(self, platform_id: str, roles: Sequence[RoleName]) -> Platform | Refusal:
        """Allows and reserves further roles; those it has already are no error."""
        refusal = self._of_plugin(platform_id) or self._bad_roles(roles, platform_id)
        if refusal is not None:
            return refusal

        def change(stored: Platform) -> Platform | None:
            known = {name.key for name in stored.approved}
            added = tuple(role for role in roles if role.key not in known)
            return stored.changed(self._now, approved=(*stored.approved, *added)) if added else None

        return self._logged("roles approved", await self._change(platform_id, change))

    async def suspend(self, platform_id: str) -> Platform | Refusal:
        """Others get 4003 for its parties and its own requests 403, until it is resumed. Twice is once."""

        def change(stored: Platform) -> Platform | None:
            now = self._now
            return None if stored.suspended else stored.changed(now, suspended=True, status_changed_at=now)

        return self._logged("platform suspended", await self._change(platform_id, change))

    async def resume(self, platform_id: str) -> Platform | Refusal:
        """Ends a suspension by the operator. One that unregistered itself comes back by registering only."""

        def change(stored: Platform) -> Platform | Refusal | None:
            now = self._now
            if stored.suspended:
                return stored.changed(now, suspended=False, status_changed_at=now)
            if stored.connection is None and stored.was_registered:
                return conflicting("The platform ended its registration itself; invite it again")
            return None

        return self._logged("platform resumed", await self._change(platform_id, change))

    async def change_settings(
        self, platform_id: str, change: SettingsChange, *, name: str | None = None
    ) -> Platform | Refusal:
        """Changes settings, and the name if one is given. A chosen token encoding counts from the next request on."""
        refusal = self._of_plugin(platform_id) if "endpoint_overrides" in change else None
        refusal = (
            refusal
            or (None if name is None else bad_name(name.strip()))
            or await problem_with(change, self._ceremony.outreach)
        )
        if refusal is not None:
            return refusal

        def changed(stored: Platform) -> Platform:
            settings = applied(stored.settings, change, self._ceremony.vault)
            connection = stored.connection
            if connection is not None and settings.token_encoding is not None:
                connection = replace(connection, token_encoding=settings.token_encoding)
            named = stored.name if name is None else name.strip()
            return stored.changed(self._now, name=named, settings=settings, connection=connection)

        result = self._logged("settings changed", await self._change(platform_id, changed), settings=sorted(change))
        if isinstance(result, Platform) and "client_certificate" in change:
            self._ceremony.forwarder.drop(platform_id)
        return result

    # --- the end ---

    async def remove(self, platform_id: str) -> Removed | Refusal:
        """Forgets the platform and all that was its own, then tells it so once, whatever it says."""
        platform = self._snapshot.platform(platform_id)
        if platform is not None and platform.plugin is not None and platform_id not in self._liveness.offline:
            return conflicting(f"The plugin {platform.plugin} runs; disable it first")
        return await self._removal.of(platform_id)

    # --- parties and alarms ---

    async def suspend_party(self, party: PartyId, role: Role) -> Platform | Refusal:
        """Suspends one party in one role; the others of its platform go on."""
        return await self._set_party(party, role, suspended=True)

    async def resume_party(self, party: PartyId, role: Role) -> Platform | Refusal:
        return await self._set_party(party, role, suspended=False)

    async def move_party(self, party: PartyId, role: Role, platform_id: str) -> Platform | Refusal:
        """Gives a party in one role to another registered platform, which then routes for it."""
        holder = self._snapshot.holder_of(RoleName(role, party.country_code, party.party_id).key)
        ours = self._of_plugin(platform_id) or (None if holder is None else self._of_plugin(holder))
        if ours is not None:
            return ours
        return await moving.moved(self._ceremony, party, role, platform_id)

    async def _set_party(self, party: PartyId, role: Role, *, suspended: bool) -> Platform | Refusal:
        wanted = RoleName(role, party.country_code, party.party_id)
        holder = self._snapshot.holder_of(wanted.key)
        if holder is None:
            return Refusal(RefusalKind.UNKNOWN, f"There is no {wanted} at this hub")

        def moved(hosted: HostedRole) -> HostedRole:
            if hosted.key != wanted.key:
                return hosted
            return replace(hosted, suspended=suspended, updated_at=self._now)

        def change(stored: Platform) -> Platform | Refusal | None:
            mine = [hosted for hosted in stored.roles if hosted.key == wanted.key]
            if not mine:
                return conflicting(f"{wanted} is reserved but not registered yet")
            if mine[0].suspended is suspended:
                return None
            return stored.changed(self._now, roles=tuple(moved(hosted) for hosted in stored.roles))

        word = "party suspended" if suspended else "party resumed"
        return self._logged(word, await self._change(holder, change), party=str(wanted))

    def acknowledge(self, alarm_id: str) -> Alarm | Refusal:
        """Marks an alarm as seen; it counts as new when it sounds again."""
        alarm = self._ceremony.alarms.acknowledge(alarm_id)
        return alarm or Refusal(RefusalKind.UNKNOWN, "There is no such alarm")

    # --- shared ---

    async def _change(self, platform_id: str, change: Change) -> Platform | Refusal:
        return await operator_changes.changed(self._registry, platform_id, change)

    def _bad_roles(self, roles: Sequence[RoleName], platform_id: str | None = None) -> Refusal | None:
        return bad_roles(roles, self._snapshot, self._ceremony.identity.party, platform_id)

    def _logged(self, event: str, result: Platform | Refusal, **facts: object) -> Platform | Refusal:
        if isinstance(result, Platform):
            log.info(event, platform=result.id, **facts)
        return result


_BUSY = Refusal(RefusalKind.CONFLICT, "A handshake with this platform is going on; try again when it is over")
