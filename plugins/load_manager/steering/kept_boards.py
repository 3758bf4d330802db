"""Boards on the shelf: a document for each session's row, and one for the rest, so that one change writes one small
document however many sessions a tree has.

What has changed is found by comparing with what was saved last, so that nobody has to say it.
"""

import asyncio
from dataclasses import replace

from hub.ocpi import codec
from hub.plugin import HubApi, Save, Term
from plugins.load_manager.dispatch import Board, Settings
from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.profiles import StepProfile
from plugins.load_manager.strides import Strides, unhurried

_BOARD, _ROW = "board/", "row/"
_MOST_AT_ONCE = 500


class KeptBoards:
    """Reads and writes them, by the root of the tree. Raises StoreUnavailable; with a term also TermOver."""

    def __init__(self, hub: HubApi, settings: Settings) -> None:
        self._hub = hub
        self._settings = settings
        self._heads: dict[str, object] = {}
        self._rows: dict[str, dict[str, tuple[object, ...]]] = {}
        self._turns: dict[str, asyncio.Lock] = {}

    async def load(self) -> dict[str, Board]:
        """Every board, as it was kept last."""
        self._heads.clear()
        self._rows.clear()
        boards: dict[str, Board] = {}
        async for key, kept in self._hub.shelf.items(_BOARD):
            root = key.removeprefix(_BOARD)
            boards[root] = Board.from_json(kept.value, self._settings)
            self._heads[root] = kept.value
        async for key, kept in self._hub.shelf.items(_ROW):
            root, _, session = key.removeprefix(_ROW).partition("\n")
            row = codec.from_plain(Row, kept.value)
            boards.setdefault(root, Board(settings=self._settings)).state.rows[session] = row
            self._rows.setdefault(root, {})[session] = row.lasting
        return boards

    async def load_row(self, root: str, key: SessionKey) -> Board | None:
        """A board with that session alone; None when it has none."""
        head, kept = await self._hub.shelf.load(f"{_BOARD}{root}"), await self._hub.shelf.load(_row_key(root, key))
        if kept is None:
            return None
        board = Board(settings=self._settings) if head is None else Board.from_json(head.value, self._settings)
        row = codec.from_plain(Row, kept.value)
        board.state.rows = {key: row}
        # Which room there is only whoever steers knows: here there is none beyond what is booked.
        board.state.limits = {node: StepProfile.flat(0, 0) for node in row.session.path}
        return board

    async def keep(self, root: str, board: Board, term: Term) -> None:
        """What has changed since it was kept last. Limits and targets are told to a board anew after a restart."""
        async with self._turns.setdefault(root, asyncio.Lock()):
            kept = self._rows.setdefault(root, {})
            changed = await unhurried(self._changed(kept, root, board), self._hub.sleep)
            for start in range(0, len(changed), _MOST_AT_ONCE):
                part = changed[start : start + _MOST_AT_ONCE]
                await self._hub.shelf.save_many([save for _, _, save in part], term=term)
                kept.update((key, lasting) for key, lasting, _ in part)
            head = codec.to_plain(replace(board.state, rows={}, limits={}))
            if head != self._heads.get(root):
                # A save that fails may have come through: then nobody knows what is there.
                self._heads.pop(root, None)
                await self._hub.shelf.save(f"{_BOARD}{root}", head, term=term)
                self._heads[root] = head
            for key in [key for key in kept if key not in board.state.rows]:
                await self._hub.shelf.remove(_row_key(root, key), term=term)
                kept.pop(key, None)

    async def drop_others(self, boards: dict[str, Board], term: Term) -> None:
        """Boards of trees that are no more."""
        for key in await self._hub.shelf.keys(_BOARD):
            root = key.removeprefix(_BOARD)
            if root not in boards:
                for row_key in await self._hub.shelf.keys(_row_key(root, "")):
                    await self._hub.shelf.remove(row_key, term=term)
                await self._hub.shelf.remove(key, term=term)
                self._rows.pop(root, None)
                self._heads.pop(root, None)

    @staticmethod
    def _changed(
        kept: dict[str, tuple[object, ...]], root: str, board: Board
    ) -> Strides[list[tuple[str, tuple[object, ...], Save]]]:
        found = []
        for key, row in list(board.state.rows.items()):
            yield
            lasting = row.lasting
            if kept.get(key) != lasting:
                kept[key] = ()  # until the save has come through nobody knows what is there
                found.append((key, lasting, Save(_row_key(root, key), codec.to_plain(row))))
        return found


def _row_key(root: str, session: str) -> str:
    return f"{_ROW}{root}\n{session}"  # ids of groups have no line ends in them
