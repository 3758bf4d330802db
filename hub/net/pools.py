"""The pools of all platforms: made when first needed, closed when dropped, idle, or no longer trusted."""

import asyncio
import ssl
from collections.abc import Callable

import structlog
from aiohttp import TCPConnector

from hub.clock import Clock
from hub.net.forwarder import Wire
from hub.net.pool import Pool
from hub.net.tls import Trust, Unusable

log = structlog.get_logger("hub.net")

_SWEEP_S = 120.0


class Pools:
    """Rules: a dropped pool gets no new requests and is closed once its last request has left; a pool that no request
    used between two sweeps is dropped; all are dropped when the file of certificate authorities has changed.
    """

    def __init__(
        self,
        trust: Trust,
        connect: Callable[[ssl.SSLContext], TCPConnector],
        *,
        proxy: str | None,
        direct: bool,
        clock: Clock,
    ) -> None:
        self._trust = trust
        self._connect = connect
        self._proxy = proxy
        self._direct = direct
        self._clock = clock
        self._pools: dict[str, Pool] = {}
        self._retired: set[Pool] = set()
        self._closings: set[asyncio.Task[None]] = set()
        self._sweeper: asyncio.Task[None] | None = None

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._pools)

    def of(self, wire: Wire) -> Pool:
        """The wire's pool, a new one if there is none or if it shows another client certificate."""
        pool = self._pools.get(wire.pool)
        if pool is not None and pool.fits(wire):
            return pool
        self.drop(wire.pool)
        if self._sweeper is None:
            self._sweeper = asyncio.create_task(self._sweep(), name="pools-sweep")
        pool = self._pools[wire.pool] = Pool(wire, self._trust, self._connect, proxy=self._proxy, direct=self._direct)
        return pool

    def left(self, pool: Pool) -> None:
        """A request has left the pool."""
        pool.in_flight -= 1
        if pool in self._retired and not pool.in_flight:
            self._close(pool)

    def drop(self, name: str) -> None:
        pool = self._pools.pop(name, None)
        if pool is not None:
            self._retired.add(pool)
            if not pool.in_flight:
                self._close(pool)

    async def close(self) -> None:
        """Closes every pool with what is still in flight on it."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.wait([self._sweeper])
            self._sweeper = None
        for name in tuple(self._pools):
            self.drop(name)
        for pool in tuple(self._retired):
            self._close(pool)
        if self._closings:
            await asyncio.wait(self._closings)

    def _close(self, pool: Pool) -> None:
        self._retired.discard(pool)
        closing = asyncio.create_task(pool.close(), name="pool-close")
        self._closings.add(closing)
        closing.add_done_callback(self._closings.discard)

    async def _sweep(self) -> None:
        while True:
            await self._clock.sleep(_SWEEP_S)
            reloaded = await asyncio.to_thread(self._trust.reload)
            if isinstance(reloaded, Unusable):
                log.warning("certificate authorities were not reloaded", reason=reloaded.reason)
            for name, pool in tuple(self._pools.items()):
                if reloaded is True or not (pool.used or pool.in_flight):
                    self.drop(name)
                pool.used = False
