"""The registry in use: the current snapshot, who presents a token, and how changes reach the store and other nodes."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import structlog

from hub.broker.alarms import Alarms
from hub.broker.exchange import Caller
from hub.clock import Clock
from hub.domain.agreements import Agreement, Agreements
from hub.domain.platform import Platform, TokenPurpose
from hub.domain.registry import RegistrySnapshot
from hub.errors import KeyUnusable, StoreConflict, StoreUnavailable
from hub.net.forwarder import Wire
from hub.ocpi.token import authorization, candidates
from hub.store.documents import RecordsUnreadable
from hub.store.ports import AgreementStore, PlatformStore
from hub.store.vault import Fingerprints, Vault

log = structlog.get_logger("hub.registry")

POLL_S = 1.0
REREAD_S = 60.0
_MAX_CALLERS = 20_000
_ATTEMPTS = 5
# Polls in a row that may fail before an operator is told.
_SILENT_POLLS = 5

Change = Callable[[Platform], Platform | None]
ChangeOfTwo = Callable[[Platform, Platform], tuple[Platform, Platform] | None]


@dataclass(frozen=True, slots=True)
class Outbound:
    """What a leg to a platform needs: the ready `Authorization` value and the pool it uses."""

    revision: int
    authorization: str = field(repr=False)
    wire: Wire


def _nobody() -> None:
    """Nobody asked to be told."""


class RegistryKeeper:
    """Holds the snapshot the message path reads, and makes every change store first, memory second.

    `connections` is the most requests in flight to one platform; `open_by_default` is what holds where no agreement
    fits. `alarms` is told what an operator must know of the stored registry, once it is set.
    """

    def __init__(
        self,
        store: PlatformStore,
        agreements: AgreementStore,
        vault: Vault,
        fingerprints: Fingerprints,
        clock: Clock,
        *,
        connections: int,
        open_by_default: bool = True,
    ) -> None:
        self._store = store
        self._agreements = agreements
        self._vault = vault
        self._fingerprints = fingerprints
        self._clock = clock
        self._connections = connections
        self._callers: dict[str, Caller] = {}
        self._outbound: dict[str, Outbound] = {}
        # Fingerprints given up in memory whose removal may not have reached the store yet.
        self._retired: set[str] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._lasting: set[asyncio.Task[None]] = set()
        self._unreadable: set[str] = set()
        self._reread_at = 0.0
        self._changes_made = 0
        self._reads_made = 0
        # Who reads all platforms must not see one before and one after a change of both.
        self._whole = asyncio.Lock()
        self.snapshot = RegistrySnapshot(agreements=Agreements(default_open=open_by_default))
        self.on_change: Callable[[], None] = _nobody
        self.alarms: Alarms | None = None
        self.loaded = False

    async def load(self) -> None:
        """Reads every platform. The generation is read first, so that a change in between is seen at the next poll; a
        change made here in between makes what was read too old to use. A platform that cannot be read is left out.
        The snapshot stays what it is when nothing has changed.
        """
        async with self._whole:
            while True:
                made = self._changes_made
                generation = await self._stored_generation()
                platforms, problems = await self._read_all()
                agreements = await self._agreements.load_all()
                if made == self._changes_made:
                    break
        self._note_unreadable(problems)
        self._retired &= {token.fingerprint for platform in platforms for token in platform.tokens}
        self._reads_made += 1
        self._reread_at = self._clock.monotonic() + REREAD_S
        snapshot = self.snapshot.reread(platforms, generation, self.snapshot.agreements.reread(agreements))
        first, self.loaded = not self.loaded, True
        if first or snapshot is not self.snapshot:
            self._use(snapshot)

    @property
    def complete(self) -> bool:
        """Whether every stored platform could be read."""
        return self.loaded and not self._unreadable

    async def _stored_generation(self) -> int:
        return await self._store.generation() + await self._agreements.generation()

    async def _read_all(self) -> tuple[list[Platform], dict[str, str]]:
        """The platforms that can be read, and why others cannot, by id."""
        try:
            return await self._store.load_all(), {}
        except RecordsUnreadable as partly:
            return partly.readable, partly.problems

    def _note_unreadable(self, problems: dict[str, str]) -> None:
        for platform_id in problems.keys() - self._unreadable:
            log.error("a stored platform cannot be read and is left out", platform=platform_id)
            if self.alarms is not None:
                text = f"it is left out until its record is repaired: {problems[platform_id]}"
                self.alarms.sound("record_unreadable", platform_id, text, standing=True)
        for platform_id in self._unreadable - problems.keys():
            if self.alarms is not None:
                self.alarms.clear("record_unreadable", platform_id)
        self._unreadable = set(problems)

    async def follow(self) -> None:
        """Re-reads the registry whenever another node changed it (ruling 23), and now and then in any case."""
        failed = 0
        while True:
            await self._clock.sleep(POLL_S)
            try:
                known = self.snapshot.generation
                moved = await self._stored_generation() != known
                if moved or self._clock.monotonic() >= self._reread_at:
                    await self.load()
            except StoreUnavailable as problem:
                failed += 1  # the snapshot in memory goes on serving (ruling 22)
                if failed == _SILENT_POLLS and self.alarms is not None:
                    self.alarms.sound("registry_stale", "registry", f"it cannot be re-read: {problem}", standing=True)
            else:
                failed = 0
                if self.alarms is not None:
                    self.alarms.clear("registry_stale", "registry")

    def _take_over(self, snapshot: RegistrySnapshot, reads: int | None) -> None:
        """Uses a snapshot with what this node stored after it had read everything `reads` times; None: with what
        another node had stored.

        A store that counts changes is one further after a change of ours, so nothing has to be read again; after a
        change of another node it is further still, which the next poll sees. But who read everything while we wrote
        may have read our change, and a younger one: then only the store knows.
        """
        self._changes_made += 1
        if reads == self._reads_made:
            snapshot.generation = self.snapshot.generation + 1
        elif reads is not None:
            self._reread_at = self._clock.monotonic()
        self._use(snapshot)

    def _use(self, snapshot: RegistrySnapshot) -> None:
        self.snapshot = snapshot
        self._callers.clear()
        self.on_change()

    # --- who is calling ---

    def caller(self, header: str | None) -> Caller | None:
        """The platform behind an `Authorization` header (R-005), or None. Both encodings are tried, literal first."""
        if header is None:
            return None
        known = self._callers.get(header)
        if known is None:
            known = self._look_up(header)
            if known is None:
                return None
            if len(self._callers) >= _MAX_CALLERS:
                self._callers.clear()
            self._callers[header] = known
        expires_at = known.token.expires_at
        return None if expires_at is not None and expires_at <= self._clock.now() else known

    def _look_up(self, header: str) -> Caller | None:
        found = []
        for presented, encoding in candidates(header):
            fingerprint = self._fingerprints.of(presented)
            match = self.snapshot.by_fingerprint(fingerprint)
            if match is not None and fingerprint not in self._retired:
                found.append(Caller(match[0], match[1], presented, encoding))
        if len(found) != 1:
            return None
        self._retire_older(found[0])
        return found[0]

    def _retire_older(self, caller: Caller) -> None:
        """The first use of a new token ends the grace of the one before it (R-176). Tokens stand in order of their
        age; one behind it is newer, issued in a handshake that has not ended.
        """
        tokens = caller.platform.tokens
        older = tuple(
            token
            for token in tokens[: tokens.index(caller.token)]
            if token.expires_at is not None and token.purpose is TokenPurpose.CREDENTIALS
        )
        if not older or caller.token.expires_at is not None:
            return
        gone = {token.fingerprint for token in older}

        self._retired |= gone
        for header in [header for header, known in self._callers.items() if known.token.fingerprint in gone]:
            del self._callers[header]

        def retire(platform: Platform) -> Platform | None:
            kept = tuple(token for token in platform.tokens if token.fingerprint not in gone)
            return None if kept == platform.tokens else platform.changed(self._clock.now(), tokens=kept)

        self.in_background(self.change(caller.platform.id, retire))

    # --- towards a platform ---

    def outbound(self, platform: Platform) -> Outbound | None:
        """What legs to this platform carry; None while it is not registered or its token cannot be opened."""
        known = self._outbound.get(platform.id)
        if known is not None and known.revision == platform.revision:
            return known
        if platform.connection is None:
            return None
        try:
            token = self._vault.open(platform.connection.sealed_token)
            wire = self.wire(platform)
        except KeyUnusable:
            log.error("a stored token cannot be opened with SECRET_KEY", platform=platform.id)
            return None
        made = Outbound(platform.revision, authorization(token, platform.connection.token_encoding), wire)
        self._outbound[platform.id] = made
        return made

    def wire(self, platform: Platform) -> Wire:
        """The platform's own pool, with its client certificate if it has one."""
        certificate = platform.settings.client_certificate
        if certificate is None:
            return Wire(platform.id, self._connections)
        key = self._vault.open(certificate.sealed_key)
        return Wire(platform.id, self._connections, certificate.certificate_pem, key)

    # --- changes ---

    async def add(self, platform: Platform) -> None:
        """Stores a new platform. StoreConflict when one of its triples is taken."""
        reads = self._reads_made
        await self._store.insert(platform)
        self._take_over(self.snapshot.replacing(platform), reads)

    async def change(self, platform_id: str, change: Change) -> Platform | None:
        """Applies `change` to the stored platform, again if another node was faster; None when it is gone.

        `change` returns None to leave things as they are; what was read counts here too if it is newer than what
        memory holds. StoreConflict(key) when a triple or token is taken, StoreConflict("revision") when others kept
        being faster.
        """
        for _ in range(_ATTEMPTS):
            stored = await self._store.get(platform_id)
            if stored is None:
                return None
            changed = change(stored)
            if changed is None:
                known = self.snapshot.platform(platform_id)
                if known is not None and known.revision < stored.revision:
                    self._take_over(self.snapshot.replacing(stored), None)
                return stored
            reads = self._reads_made
            try:
                await self._store.replace(changed)
            except StoreConflict as conflict:
                if conflict.key != "revision":
                    raise
                continue
            self._take_over(self.snapshot.replacing(changed), reads)
            return changed
        raise StoreConflict("revision")

    async def change_both(self, giver_id: str, taker_id: str, change: ChangeOfTwo) -> tuple[Platform, Platform] | None:
        """The same for two platforms, of which the first gives up what the second takes: both are stored, or neither.
        None when one of them is gone, or when `change` returned it.
        """
        for _ in range(_ATTEMPTS):
            giver, taker = await self._store.get(giver_id), await self._store.get(taker_id)
            both = None if giver is None or taker is None else change(giver, taker)
            if both is None:
                return None
            async with self._whole:
                reads = self._reads_made
                try:
                    await self._store.replace_both(*both)
                except StoreConflict as conflict:
                    if conflict.key != "revision":
                        raise
                    continue
                self._take_over(self.snapshot.replacing(both[0]).replacing(both[1]), reads)
            return both
        raise StoreConflict("revision")

    async def remove(self, platform_id: str) -> bool:
        """Forgets a platform and frees its parties."""
        reads = self._reads_made
        removed = await self._store.remove(platform_id)
        self._take_over(self.snapshot.without(platform_id), reads if removed else None)
        self._outbound.pop(platform_id, None)
        return removed

    async def put_agreement(self, agreement: Agreement) -> bool:
        """Stores an agreement; whether its id is new."""
        reads = self._reads_made
        added = await self._agreements.put(agreement)
        self._take_over(self.snapshot.under(self.snapshot.agreements.changed([agreement])), reads)
        return added

    async def remove_agreement(self, agreement_id: str) -> bool:
        """Forgets an agreement; False when there was none."""
        reads = self._reads_made
        removed = await self._agreements.remove(agreement_id)
        left = self.snapshot.agreements.changed(gone=[agreement_id])
        self._take_over(self.snapshot.under(left), reads if removed else None)
        return removed

    def in_background(self, write: Coroutine[Any, Any, object], *, lasting: bool = False) -> None:
        """Runs a store write off the message path; owned here, awaited by `close`, or cancelled by it if it may last
        until the store is back.
        """
        task = asyncio.get_running_loop().create_task(self._quietly(write))
        owned = self._lasting if lasting else self._background
        owned.add(task)
        task.add_done_callback(owned.discard)

    async def _quietly(self, write: Coroutine[Any, Any, object]) -> None:
        try:
            await write
        except (StoreUnavailable, StoreConflict) as problem:
            log.warning("a change of the registry could not be stored yet", problem=str(problem))

    async def close(self) -> None:
        """Waits for writes in the background, and ends those that may last."""
        for task in self._lasting:
            task.cancel()
        await asyncio.gather(*self._background, *self._lasting, return_exceptions=True)
