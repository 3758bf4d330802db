"""What steering keeps on the shelf: known things one by one, capacities by group, boards by tree, and the rest whole.

Everything is saved with the term, so that a node that holds the duty no more cannot undo what its heir has saved.
"""

import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime

from hub.ocpi import codec
from hub.plugin import HubApi, Save, Term
from plugins.load_manager.dispatch import Board, Settings
from plugins.load_manager.grid.files import body_of, read_json
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.planning import affected
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.heard import Heard
from plugins.load_manager.steering.scene import Mode, Scene, Tree

GRID, MODE, HEARD = "grid", "mode", "heard"
_CAPACITY, _BOARD, _DEBT = "capacity/", "board/", "debt/"
_KNOWN = ("session/", "preference/", "learnt/", "location/", "cpo/", "register/", "arrivals/")
_MOST_AT_ONCE = 500


class Keeping:
    """Reads and writes it. Raises StoreUnavailable; with a term also TermOver."""

    def __init__(self, hub: HubApi, settings: Settings) -> None:
        self._hub = hub
        self._settings = settings
        self._kept: dict[str, bytes] = {}

    async def load(self, known: Known) -> Scene:
        """Everything, as it was saved last; `known` is an empty one."""
        self._kept.clear()
        documents: dict[str, object] = {}
        for prefix in _KNOWN:
            documents.update([each async for each in self._all(prefix)])
        known.from_json(documents)
        scene = Scene(known, await self.grid())
        mode = await self._hub.shelf.load(MODE)
        scene.mode = Mode() if mode is None else codec.from_plain(Mode, mode.value)
        heard = await self._hub.shelf.load(HEARD)
        scene.heard = Heard() if heard is None else Heard.from_json(heard.value)
        async for key, value in self._all(_CAPACITY):
            scene.capacities[key.removeprefix(_CAPACITY)] = Capacity.from_json(value)
        async for key, value in self._all(_BOARD):
            scene.trees[key.removeprefix(_BOARD)] = Tree(Board.from_json(value, self._settings))
        async for key, value in self._all(_DEBT):
            scene.debts.setdefault(SessionKey(str(value)), []).append(key.removeprefix(_DEBT))
        return scene

    async def grid(self) -> GridModel:
        """The grid alone: all that a node needs which does not steer."""
        kept = await self._hub.shelf.load(GRID)
        return GridModel() if kept is None else read_json(codec.dumps(kept.value))

    async def load_session(self, known: Known, grid: GridModel, key: SessionKey, now: datetime) -> Scene:
        """All that a single session is steered by, as it was saved last; `known` is an empty one."""
        documents: dict[str, object] = {}
        for shelf_key in (f"session/{key}", f"cpo/{key.partition('/')[0]}"):
            kept = await self._hub.shelf.load(shelf_key)
            if kept is not None:
                documents[shelf_key] = kept.value
        known.from_json(documents)
        mode = await self._hub.shelf.load(MODE)
        scene = Scene(known, grid, mode=Mode() if mode is None else codec.from_plain(Mode, mode.value))
        session = known.sessions.find(key)
        for root in affected(grid, now, sessions=[session]) if session is not None else ():
            kept = await self._hub.shelf.load(f"{_BOARD}{root}")
            if kept is not None:
                scene.trees[root] = Tree(Board.from_json(kept.value, self._settings))
        return scene

    async def keep_known(self, known: Known, term: Term) -> None:
        """What has changed of what is known since the last call."""
        changes = known.changes()
        try:
            await self._save({key: value for key, value in changes.items() if value is not None}, term)
            for key in [key for key, value in changes.items() if value is None]:
                await self._hub.shelf.remove(key, term=term)
        except BaseException:
            known.unsaved(changes)
            raise

    async def keep_capacities(self, scene: Scene, groups: Iterable[str], term: Term) -> None:
        """The capacities of these groups."""
        found = {f"{_CAPACITY}{one}": scene.capacities[one].to_json() for one in groups if one in scene.capacities}
        digests = {key: _digest(value) for key, value in found.items()}
        changed = {key: value for key, value in found.items() if digests[key] != self._kept.pop(key, None)}
        await self._save(changed, term)
        self._kept |= digests

    async def keep_heard(self, scene: Scene, term: Term) -> None:
        """Which messages were heard."""
        await self._hub.shelf.save(HEARD, scene.heard.to_json(), term=term)

    async def keep_mode(self, scene: Scene, term: Term) -> None:
        """Shadow or live, stopped or not."""
        await self._hub.shelf.save(MODE, codec.to_plain(scene.mode), term=term)

    async def keep_board(self, root: str, board: Board, term: Term) -> None:
        """Unless it is there already: limits and targets are told to a board anew after a restart."""
        plain, key = board.to_json(), f"{_BOARD}{root}"
        digest = _digest(_lasting(plain))
        if digest != self._kept.pop(key, None):
            # A save that fails may have come through: then nobody knows what is there.
            await self._hub.shelf.save(key, plain, term=term)
        self._kept[key] = digest

    async def keep_grid(self, scene: Scene, term: Term) -> None:
        """The grid with all that follows from another one: capacities, boards, and none of what is gone."""
        groups = [body_of(group) for group in scene.model.groups.values()]
        found: dict[str, object] = {GRID: {"groups": groups}}
        found |= {f"{_CAPACITY}{one}": capacity.to_json() for one, capacity in scene.capacities.items()}
        found |= {f"{_BOARD}{root}": tree.board.to_json() for root, tree in scene.trees.items()}
        self._kept.clear()
        await self._save(found, term)
        for prefix in (_CAPACITY, _BOARD):
            for key in await self._hub.shelf.keys(prefix):
                if key not in found:
                    await self._hub.shelf.remove(key, term=term)

    async def owe(self, handle: str, session: SessionKey) -> None:
        """A result is owed; any node may note it."""
        await self._hub.shelf.save(f"{_DEBT}{handle}", session)

    async def paid(self, handle: str, term: Term) -> None:
        """It is owed no more."""
        await self._hub.shelf.remove(f"{_DEBT}{handle}", term=term)

    async def _save(self, found: Mapping[str, object], term: Term) -> None:
        saves = [Save(key, value) for key, value in found.items()]
        if len(saves) == 1:
            await self._hub.shelf.save(saves[0].key, saves[0].value, term=term)
            return
        for start in range(0, len(saves), _MOST_AT_ONCE):
            await self._hub.shelf.save_many(saves[start : start + _MOST_AT_ONCE], term=term)

    async def _all(self, prefix: str) -> AsyncIterator[tuple[str, object]]:
        for key in await self._hub.shelf.keys(prefix):
            kept = await self._hub.shelf.load(key)
            if kept is not None:
                yield key, kept.value


def _lasting(board: object) -> object:
    """The plain values of a board without those that it is told again and again."""
    if not isinstance(board, dict):
        return board
    rows = {key: {**row, "target": None, "desired": None} for key, row in board["rows"].items()}
    return {**board, "limits": None, "rows": rows}


def _digest(plain: object) -> bytes:
    return hashlib.blake2b(codec.dumps(plain), digest_size=16).digest()
