"""The end of steering for good: what was sent is taken back, and who is owed an answer gets it."""

import asyncio
from collections.abc import Callable, Iterator

from hub.plugin import LEAVE_WITHIN_S, HubApi, Term
from plugins.load_manager.dispatch import Board, Settle
from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.steering.asking import Asking
from plugins.load_manager.steering.carrying_out import DEFICIT, UNCONTROLLED, CarryingOut
from plugins.load_manager.steering.scene import Scene

_LOOK_EVERY_S = 0.25
_LAST_WORDS_S = 10.0


class Parting:
    """Takes back what one term, and those before it, have sent. `look` looks at every tree at once."""

    def __init__(
        self,
        hub: HubApi,
        term: Term,
        scene: Scene,
        *,
        asking: Asking,
        carrying_out: CarryingOut,
        look: Callable[[], None],
    ) -> None:
        self._hub = hub
        self._term = term
        self._scene = scene
        self._asking = asking
        self._carrying_out = carrying_out
        self._look = look

    async def leave(self) -> None:
        """Returns when CPOs have answered, or when the time for it is nearly over; in shadow mode at once."""
        scene, until_s = self._scene, self._hub.monotonic() + LEAVE_WITHIN_S - _LAST_WORDS_S
        if not scene.mode.shadow:
            scene.leaving = True
            self._look()
            while self._waits() and not self._term.over and self._hub.monotonic() < until_s:
                await self._hub.sleep(_LOOK_EVERY_S)
            left = sum(1 for _ in self._limited())
            if left:
                self._hub.log.warning("sessions keep their profiles, which end at the fallback share", sessions=left)
        await asyncio.gather(*[self._carrying_out.settle(debt) for debt in self._debts()])
        for row in scene.rows():
            self._hub.clear_alarm(UNCONTROLLED, row.session.id)
        for group_id in scene.model.groups:
            self._hub.clear_alarm(DEFICIT, group_id)

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
