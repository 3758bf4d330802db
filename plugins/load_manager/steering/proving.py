"""Evidence of what was made of each signal, kept on the shelf as one document per signal, its newest state."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from hub.plugin import HubApi, Term
from plugins.load_manager.dispatch import Deficit, Put
from plugins.load_manager.dispatch.row import Row, Trouble
from plugins.load_manager.doors.port import ActivationEntry
from plugins.load_manager.evidence import Activation, Quality, Why
from plugins.load_manager.planning import Plan
from plugins.load_manager.signals.signal import CapacitySignal
from plugins.load_manager.steering.scene import Scene

_PREFIX = "activation/"
_KEPT = timedelta(days=400)

_WHY = {
    Trouble.REJECTED: Why.REJECTED,
    Trouble.NOT_SUPPORTED: Why.NOT_SUPPORTED,
    Trouble.SILENT: Why.NO_ANSWER,
    Trouble.IGNORED: Why.IGNORED,
}


class Proving:
    """Notes what happens to the signals that are in force. Reading and saving raise StoreUnavailable."""

    def __init__(self, hub: HubApi) -> None:
        self._hub = hub
        self._open: dict[str, Activation] = {}
        self._changed: set[str] = set()

    async def open(self) -> None:
        """Goes on with those that are not over."""
        now = self._hub.now()
        for key in reversed(await self._hub.shelf.keys(_PREFIX)):
            kept = await self._hub.shelf.load(key)
            if kept is None:
                continue
            activation = Activation.from_json(kept.value)
            if activation.received_at < now - timedelta(days=2):
                break
            if activation.ends_at > now:
                self._open[key.removeprefix(_PREFIX)] = activation

    def signalled(self, signal: CapacitySignal, scene: Scene, now: datetime) -> None:
        """A signal was taken."""
        group = scene.model.groups.get(signal.group_id)
        end = max(block.end for block in signal.blocks)
        if group is None or end <= now:
            return
        start = max(now, min(block.start for block in signal.blocks))
        made = Activation.of(signal, scene.capacities[group.id].steps(group, start, end))
        made.acknowledged(now)
        for activation_id, known in self._open.items():
            same = (known.source, known.group_id, known.kind) == (made.source, made.group_id, made.kind)
            if same and known.ends_at <= made.ends_at:
                known.superseded(now)
                self._changed.add(activation_id)
        digest = hashlib.blake2b(f"{made.source}\0{made.group_id}\0{made.message_id}".encode(), digest_size=6)
        activation_id = f"{signal.received_at:%Y%m%dT%H%M%S%f}-{digest.hexdigest()}"
        self._open[activation_id] = made
        self._changed.add(activation_id)

    def planned(self, plan: Plan, now: datetime) -> None:
        """A plan was made."""
        for activation_id, one in self._open.items():
            if one.group_id in plan.groups and one.planned_at is None:
                one.planned(now)
                self._changed.add(activation_id)

    def put(self, put: Put, path: Sequence[str], now: datetime) -> None:
        """A profile leaves for a session in these groups."""
        for activation_id, one in self._open.items():
            if one.group_id in path:
                one.put(now, put.session_id, put.epoch, put.seq)
                self._changed.add(activation_id)

    def called_back(self, session: str, epoch: int, seq: int, now: datetime) -> None:
        """A profile is in force."""
        for activation_id, one in self._open.items():
            if one.called_back(now, session, epoch, seq):
                self._changed.add(activation_id)

    def fell_short(self, deficit: Deficit, now: datetime) -> None:
        """A limit cannot be kept."""
        for activation_id, one in self._open.items():
            if one.group_id == deficit.node:
                one.fell_short(now, Why.DEFICIT, deficit.mw)
                self._changed.add(activation_id)

    def stuck(self, row: Row, now: datetime) -> None:
        """A session cannot be steered any more."""
        if row.trouble is None:
            return
        for activation_id, one in self._open.items():
            if one.group_id in row.session.path:
                one.fell_short(now, _WHY[row.trouble], row.booked.value_at(now))
                self._changed.add(activation_id)

    def measured(self, group_id: str, since: datetime, until: datetime, average_mw: int, quality: Quality) -> None:
        """A group has drawn so much on average."""
        for activation_id, one in self._open.items():
            if one.group_id == group_id:
                one.measured(since, until, average_mw, quality)
                self._changed.add(activation_id)

    async def keep(self, term: Term) -> None:
        """What has changed since the last call. Raises TermOver too."""
        changed, self._changed = self._changed, set()
        now = self._hub.now()
        for activation_id in changed:
            if activation_id in self._open:
                plain = self._open[activation_id].to_json()
                await self._hub.shelf.save(f"{_PREFIX}{activation_id}", plain, term=term)
        for activation_id in [one for one, activation in self._open.items() if activation.ends_at <= now]:
            del self._open[activation_id]

    async def tidy(self, term: Term) -> None:
        """Forgets what is too old."""
        oldest = f"{_PREFIX}{self._hub.now() - _KEPT:%Y%m%dT%H%M%S%f}"
        for key in await self._hub.shelf.keys(_PREFIX):
            if key >= oldest:
                break
            await self._hub.shelf.remove(key, term=term)


async def activations(
    hub: HubApi, provider: str | None, older_than: str | None, most: int
) -> Sequence[ActivationEntry]:
    """At most so many, newest first; ids below another's."""
    found: list[ActivationEntry] = []
    for key in reversed(await hub.shelf.keys(_PREFIX)):
        activation_id = key.removeprefix(_PREFIX)
        if len(found) >= most:
            break
        if older_than is not None and activation_id >= older_than:
            continue
        entry = await activation(hub, activation_id)
        if entry is not None and provider in {None, entry.activation.provider}:
            found.append(entry)
    return found


async def activation(hub: HubApi, activation_id: str) -> ActivationEntry | None:
    """One of them."""
    kept = await hub.shelf.load(f"{_PREFIX}{activation_id}")
    return None if kept is None else ActivationEntry(activation_id, Activation.from_json(kept.value))
