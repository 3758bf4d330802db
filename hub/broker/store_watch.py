"""Whether the store is there: asked now and then, shown by /readyz and by an alarm that stands until it is back
(ruling 22).
"""

from hub.broker.alarms import Alarms
from hub.clock import Clock
from hub.errors import StoreUnavailable
from hub.store.ports import Store

CHECK_S = 2.0


class StoreWatch:
    """`available` is what the last check found."""

    def __init__(self, store: Store, alarms: Alarms, clock: Clock) -> None:
        self._store = store
        self._alarms = alarms
        self._clock = clock
        self.available = True

    async def check(self) -> bool:
        try:
            await self._store.ping()
        except StoreUnavailable as problem:
            self.available = False
            self._alarms.sound("store_unavailable", "store", str(problem), standing=True)
        else:
            if not self.available:
                self._alarms.clear("store_unavailable", "store")
            self.available = True
        return self.available

    async def watch(self) -> None:
        """Checks for ever."""
        while True:
            await self._clock.sleep(CHECK_S)
            await self.check()
