"""The durable list of broadcast legs as fan-out writes it: claims before sending, settlements after, both in batches
(ruling 8).
"""

import asyncio

import structlog

from hub.clock import Clock
from hub.errors import StoreUnavailable
from hub.store.ports import BroadcastStore
from hub.store.records import LegClaim

log = structlog.get_logger("hub.fan_out")

_BATCH = 1_000
_GATHER_S = 0.05
_AWAY_S = 1.0


class LegBook:
    """Gathers what many workers claim and settle. `run` writes, for ever.

    A settlement that a crash loses costs one repeated leg, so it may wait a moment; a claim may not. Whatever a store
    raises counts as a store that is away: a mistake there must not end fan-out.
    """

    def __init__(self, store: BroadcastStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._claims: list[tuple[LegClaim, asyncio.Future[bool]]] = []
        self._claimed = asyncio.Event()
        self._settled: set[tuple[int, int]] = set()
        self._writing: set[tuple[int, int]] = set()
        self._news = asyncio.Event()
        self._held = False

    @property
    def quiet(self) -> bool:
        """Whether everything is written."""
        return not self._claims and not self._settled and not self._writing

    async def claim(self, claim: LegClaim) -> bool:
        """Whether the leg may be sent now: the attempt is on disk. Raises StoreUnavailable."""
        if self._held:
            return False
        outcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._claims.append((claim, outcome))
        self._claimed.set()
        return await outcome

    def settle(self, order: int, leg: int) -> None:
        """The leg is done, whatever came of it."""
        self._settled.add((order, leg))
        self._news.set()

    def hold(self) -> None:
        """Grants no claim any more: what is not claimed yet stays for the next start, as it is."""
        self._held = True
        waiting, self._claims = self._claims, []
        for _, outcome in waiting:
            if not outcome.done():
                outcome.set_result(False)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as writing:
            writing.create_task(self._write_claims())
            writing.create_task(self._write_settlements())

    async def flush(self) -> None:
        """Writes settlements that wait, once; at the end of the hub."""
        settled = self._settled | self._writing
        if settled and await self._settle_now(settled):
            self._settled -= settled
            self._writing = set()

    async def _write_claims(self) -> None:
        while True:
            await self._claimed.wait()
            self._claimed.clear()
            while self._claims:
                batch, self._claims = self._claims[:_BATCH], self._claims[_BATCH:]
                try:
                    granted = await self._store.claim([claim for claim, _ in batch])
                except Exception as problem:  # noqa: BLE001 - a boundary, see the class
                    _log_mistake(problem)
                    for _, outcome in batch:
                        if not outcome.done():
                            outcome.set_exception(StoreUnavailable(str(problem)))
                    continue
                for claim, outcome in batch:
                    if not outcome.done():
                        outcome.set_result(claim in granted)

    async def _write_settlements(self) -> None:
        while True:
            await self._news.wait()
            await asyncio.sleep(_GATHER_S)  # not the clock's time: it only makes batches of what comes one by one
            self._news.clear()
            self._writing, self._settled = self._settled, set()
            if not await self._settle_now(self._writing):
                self._settled |= self._writing
                self._writing = set()
                await self._clock.sleep(_AWAY_S)
                self._news.set()
            self._writing = set()

    async def _settle_now(self, legs: set[tuple[int, int]]) -> bool:
        """Whether they are stored."""
        try:
            await self._store.settle(legs)
        except Exception as problem:  # noqa: BLE001 - a boundary, see the class
            _log_mistake(problem)
            return False
        return True


def _log_mistake(problem: Exception) -> None:
    if isinstance(problem, StoreUnavailable):
        log.warning("broadcast legs could not be claimed or settled", problem=str(problem))
    else:
        log.error("a mistake about broadcast legs", exc_info=problem)
