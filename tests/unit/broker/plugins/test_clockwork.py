"""Timers and tasks of a plugin that end before they have begun."""

import gc
import warnings
from typing import Any

from hub.broker.plugins.clockwork import Clockwork
from hub.clock import ManualClock


class Events:
    """Keeps what failed."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def failed(self, *told: Any) -> None:
        self.told.append(told)


async def test_work_that_is_cancelled_before_its_first_step_is_closed() -> None:
    events = Events()
    clockwork = Clockwork("bell", ManualClock(), events)  # type: ignore[arg-type]

    async def ring() -> None:
        raise AssertionError

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        clockwork.spawn(ring(), name="ring").cancel()
        assert await clockwork.close() == 0
        gc.collect()
    assert (clockwork.running, events.told, [str(one.message) for one in warned]) == (0, [], [])
