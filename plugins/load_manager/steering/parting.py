"""The end of steering for good: what was sent is taken back, and who is owed an answer gets it."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import timedelta

from hub.plugin import LEAVE_WITHIN_S, HubApi, Term
from plugins.load_manager.dispatch import Board, Settle
from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.steering.asking import Asking
from plugins.load_manager.steering.carrying_out import DEFICIT, UNCONTROLLED, CarryingOut
from plugins.load_manager.steering.scene import Scene

LEFT = "sessions_left_limited"
# What is left of the time is for last words to eMSPs.
_PATIENCE = timedelta(seconds=LEAVE_WITHIN_S - 10)


class Parting:
    """Takes back what one term, and those before it, have sent. `look` looks at every tree at once; `stirred` is set
    whenever somebody has answered, or a tree was looked at.
    """

    def __init__(
        self,
        hub: HubApi,
        term: Term,
        scene: Scene,
        *,
        asking: Asking,
        carrying_out: CarryingOut,
        look: Callable[[], None],
        stirred: asyncio.Event,
    ) -> None:
        self._hub = hub
        self._term = term
        self._scene = scene
        self._asking = asking
        self._carrying_out = carrying_out
        self._look = look
        self._stirred = stirred
        self._late = False

    async def leave(self) -> None:
        """Returns when CPOs have answered, or when the time for it is nearly over; in shadow mode at once."""
        scene = self._scene
        if not scene.mode.shadow:
            scene.leaving = True
            self._look()
            await self._answers()
            left = sum(1 for _ in self._limited())
            if left:
                text = f"{left} sessions keep the profiles they have, which end at their share of the fallback capacity"
                self._hub.alarm(LEFT, "steering", text)
        await asyncio.gather(*[self._carrying_out.settle(debt) for debt in self._debts()])
        for row in scene.rows():
            self._hub.clear_alarm(UNCONTROLLED, row.session.id)
        for group_id in scene.model.groups:
            self._hub.clear_alarm(DEFICIT, group_id)

    async def _answers(self) -> None:
        timer = self._hub.call_at(self._hub.now() + _PATIENCE, self._give_up)
        while self._waits() and not (self._term.over or self._late):
            self._stirred.clear()
            await self._stirred.wait()
        timer.cancel()

    def _give_up(self) -> None:
        self._late = True
        self._stirred.set()

    def _waits(self) -> bool:
        """Whether somebody may still answer, or has to be told."""
        if self._scene.debts or self._carrying_out.settling:
            return True
        return any(self._may_answer(board, row) for board, row in self._limited())

    def _limited(self) -> Iterator[tuple[Board, Row]]:
        for tree in self._scene.trees.values():
            for row in tree.board.state.rows.values():
                if row.to_release or row.in_flight:
                    yield tree.board, row

    def _may_answer(self, board: Board, row: Row) -> bool:
        return not row.lost(board.state.offline) or self._asking.asks(row.session.cpo)

    def _debts(self) -> list[Settle]:
        """What is still owed: accepted where no profile of ours is left."""
        found = ((key, self._scene.row(key)) for key in self._scene.debts)
        return [Settle(key, accepted=row is None or not row[2].to_release) for key, row in found]
