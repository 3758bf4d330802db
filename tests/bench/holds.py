"""How long one callback holds the event loop, in CPU time of its thread: what else the machine does hardly counts."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_S = 0.02


@dataclass(slots=True)
class Holds:
    """The longest hold so far in seconds, and how many were longer than 20 ms."""

    longest_s: float = 0.0
    too_long: int = 0

    def noted(self, held_s: float) -> None:
        self.longest_s = max(self.longest_s, held_s)
        self.too_long += held_s > LIMIT_S


@contextmanager
def metered() -> Iterator[Holds]:
    """Measures every callback of this process's event loop within the block."""
    found = Holds()
    run: Callable[[asyncio.Handle], Any] = asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        started_s = time.thread_time()
        run(handle)
        found.noted(time.thread_time() - started_s)

    asyncio.Handle._run = timed  # type: ignore[assignment, method-assign]
    try:
        yield found
    finally:
        asyncio.Handle._run = run  # type: ignore[assignment, method-assign]


def tell_on_signal(found: Holds, path: Path) -> None:
    """Writes what was found to the file when this process gets SIGUSR1, and begins anew."""

    def tell() -> None:
        part = path.with_suffix(".part")
        part.write_text(f"{found.longest_s} {found.too_long}")
        part.rename(path)
        found.longest_s, found.too_long = 0.0, 0

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell)


async def told(pid: int, path: Path) -> Holds:
    """What that process found since it was asked last."""
    await asyncio.to_thread(path.unlink, missing_ok=True)
    os.kill(pid, signal.SIGUSR1)
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.01)
    longest_s, too_long = (await asyncio.to_thread(path.read_text)).split()
    return Holds(float(longest_s), int(too_long))
