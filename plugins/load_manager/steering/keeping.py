"""What steering keeps on the shelf: known things one by one, capacities by group, boards by row, and the rest whole.

Everything is saved with the term, so that a node that holds the duty no more cannot undo what its heir has saved.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime

from hub.ocpi import codec
from hub.plugin import HubApi, Save, StoreUnavailable, Term
from plugins.load_manager.dispatch import Settings
from plugins.load_manager.grid.files import body_of, read_json
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.planning import affected
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.heard import Heard
from plugins.load_manager.steering.kept_boards import KeptBoards
from plugins.load_manager.steering.outcome import Outcome
from plugins.load_manager.steering.scene import Mode, Scene, Tree
from plugins.load_manager.strides import unhurried

GRID, MODE, HEARD = "grid", "mode", "heard"
_CAPACITY, _DEBT, _OUTCOME = "capacity/", "debt/", "outcome/"
_KNOWN = ("session/", "preference/", "learnt/", "location/", "cpo/", "register/", "arrivals/", "refusals/")
_MOST_AT_ONCE = 500


class Keeping:
    """Reads and writes it. Raises StoreUnavailable; with a term also TermOver."""

    def __init__(self, hub: HubApi, settings: Settings) -> None:
        self.boards = KeptBoards(hub, settings)
        self._hub = hub
        self._capacities: dict[str, Capacity] = {}
        self._knowing = asyncio.Lock()

    async def load(self, known: Known) -> Scene:
        """Everything, as it was saved last; `known` is an empty one."""
        self._capacities.clear()
        documents = {key: kept.value for prefix in _KNOWN async for key, kept in self._hub.shelf.items(prefix)}
        await unhurried(known.restoring(documents), self._hub.sleep)
        scene = Scene(known, await self.grid())
        mode = await self._hub.shelf.load(MODE)
        scene.mode = Mode() if mode is None else codec.from_plain(Mode, mode.value)
        heard = await self._hub.shelf.load(HEARD)
        scene.heard = Heard() if heard is None else Heard.from_json(heard.value)
        async for key, kept in self._hub.shelf.items(_CAPACITY):
            scene.capacities[key.removeprefix(_CAPACITY)] = Capacity.from_json(kept.value)
        scene.trees = {root: Tree(board) for root, board in (await self.boards.load()).items()}
        async for key, kept in self._hub.shelf.items(_DEBT):
            scene.debts.setdefault(SessionKey(str(kept.value)), []).append(key.removeprefix(_DEBT))
        return scene

    async def grid(self) -> GridModel:
        """The grid alone: all that a node needs which does not steer."""
        kept = await self._hub.shelf.load(GRID)
        return GridModel() if kept is None else read_json(codec.dumps(kept.value))

    async def load_session(self, known: Known, grid: GridModel, key: SessionKey, now: datetime) -> Scene:
        """All that a single session is steered by, as it was saved last; `known` is an empty one."""
        documents: dict[str, object] = {}
        for shelf_key in (f"session/{key}", f"preference/{key}", f"cpo/{key.partition('/')[0]}"):
            kept = await self._hub.shelf.load(shelf_key)
            if kept is not None:
                documents[shelf_key] = kept.value
        known.from_json(documents)
        mode = await self._hub.shelf.load(MODE)
        scene = Scene(known, grid, mode=Mode() if mode is None else codec.from_plain(Mode, mode.value))
        session = known.sessions.find(key)
        for root in affected(grid, now, sessions=[session]) if session is not None else ():
            board = await self.boards.load_row(root, key)
            if board is not None:
                scene.trees[root] = Tree(board)
        return scene

    async def keep_known(self, known: Known, term: Term) -> None:
        """What has changed of what is known since the last call."""
        async with self._knowing:  # so that nothing older is saved over something newer
            changes = await unhurried(known.changing(), self._hub.sleep)
            try:
                await self._save({key: value for key, value in changes.items() if value is not None}, term)
                for key in [key for key, value in changes.items() if value is None]:
                    await self._hub.shelf.remove(key, term=term)
            except BaseException:
                known.unsaved(changes)
                raise

    async def keep_capacities(self, scene: Scene, groups: Iterable[str], term: Term) -> None:
        """The capacities of these groups."""
        found = {one: scene.capacities[one] for one in groups if one in scene.capacities}
        changed = {one: capacity for one, capacity in found.items() if capacity != self._capacities.get(one)}
        for one in changed:  # until the save has come through nobody knows what is there
            self._capacities.pop(one, None)
        await self._save({f"{_CAPACITY}{one}": capacity.to_json() for one, capacity in changed.items()}, term)
        self._capacities |= changed

    async def keep_heard(self, scene: Scene, term: Term) -> None:
        """Which messages were heard."""
        await self._hub.shelf.save(HEARD, scene.heard.to_json(), term=term)

    async def keep_mode(self, scene: Scene, term: Term) -> None:
        """Shadow or live, stopped or not."""
        await self._hub.shelf.save(MODE, codec.to_plain(scene.mode), term=term)

    async def keep_grid(self, scene: Scene, term: Term) -> None:
        """The grid with all that follows from another one: capacities, boards, and none of what is gone."""
        found: dict[str, object] = {GRID: {"groups": [body_of(group) for group in scene.model.groups.values()]}}
        found |= {f"{_CAPACITY}{one}": capacity.to_json() for one, capacity in scene.capacities.items()}
        self._capacities.clear()
        await self._save(found, term)
        boards = {root: tree.board for root, tree in scene.trees.items()}
        for root, board in boards.items():
            await self.boards.keep(root, board, term)
        await self.boards.drop_others(boards, term)
        for key in await self._hub.shelf.keys(_CAPACITY):
            if key not in found:
                await self._hub.shelf.remove(key, term=term)

    async def owe(self, handle: str, session: SessionKey) -> None:
        """A result is owed; any node may note it."""
        await self._hub.shelf.save(f"{_DEBT}{handle}", session)

    async def paid(self, handle: str, term: Term) -> None:
        """It is owed no more."""
        await self._hub.shelf.remove(f"{_DEBT}{handle}", term=term)

    async def keep_outcome(self, asked: str, outcome: Outcome, term: Term) -> None:
        """What came of what an operator asked for, so that the node that was asked sees it."""
        await self._hub.shelf.save(f"{_OUTCOME}{asked}", codec.to_plain(outcome), term=term)

    async def outcome(self, asked: str) -> Outcome | None:
        """That, once: None until it is there."""
        kept = await self._hub.shelf.load(f"{_OUTCOME}{asked}")
        if kept is None:
            return None
        with suppress(StoreUnavailable):  # then it is forgotten later
            await self._hub.shelf.remove(f"{_OUTCOME}{asked}")
        return codec.from_plain(Outcome, kept.value)

    async def forget_outcomes(self, before: datetime, term: Term) -> None:
        """Those that nobody has waited for to the end."""
        async for key, kept in self._hub.shelf.items(_OUTCOME):
            if codec.from_plain(Outcome, kept.value).at < before:
                await self._hub.shelf.remove(key, term=term)

    async def _save(self, found: Mapping[str, object], term: Term) -> None:
        saves = [Save(key, value) for key, value in found.items()]
        if len(saves) == 1:
            await self._hub.shelf.save(saves[0].key, saves[0].value, term=term)
            return
        for start in range(0, len(saves), _MOST_AT_ONCE):
            await self._hub.shelf.save_many(saves[start : start + _MOST_AT_ONCE], term=term)
