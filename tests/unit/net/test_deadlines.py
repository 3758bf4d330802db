"""One timer for many deadlines: each is kept, none is kept twice, and what is forgotten is left alone."""

import asyncio

from hub.net.deadlines import Deadlines
from tests.unit.net.servers import PATIENCE_S


class Noted:
    """Remembers when it was stopped, in seconds after its deadline."""

    def __init__(self, in_s: float) -> None:
        self.deadline = asyncio.get_running_loop().time() + in_s
        self.late_s: list[float] = []
        self.over = asyncio.Event()

    def stop(self) -> None:
        self.late_s.append(asyncio.get_running_loop().time() - self.deadline)
        self.over.set()


async def test_deadlines_are_kept_in_any_order_of_watching() -> None:
    deadlines = Deadlines()
    timed = [Noted(in_s) for in_s in (0.12, 0.03, 0.09, 0.0, 0.06, -1.0)]
    for each in timed:
        deadlines.watch(each, each)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(each.over.wait() for each in timed))

    assert all(each.late_s[0] > -0.001 for each in timed)
    assert all(each.late_s[0] < 0.3 for each in timed[:-1])
    deadlines.stop_all()


async def test_what_is_forgotten_is_not_stopped() -> None:
    deadlines = Deadlines()
    finished, running = Noted(0.01), Noted(0.05)
    for each in (finished, running):
        deadlines.watch(each, each)
    deadlines.forget(finished)
    deadlines.forget(finished)
    async with asyncio.timeout(PATIENCE_S):
        await running.over.wait()

    assert finished.late_s == []
    assert deadlines.get(running) is running
    assert deadlines.get(finished) is None
    deadlines.forget(running)


async def test_a_nearer_deadline_moves_the_alarm() -> None:
    deadlines = Deadlines()
    far, near = Noted(600), Noted(0.01)
    deadlines.watch(far, far)
    deadlines.watch(near, near)
    async with asyncio.timeout(PATIENCE_S):
        await near.over.wait()

    assert far.late_s == []
    deadlines.stop_all()
    assert len(far.late_s) == 1
