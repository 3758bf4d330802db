"""A limit that lowers many sessions at once reaches all of them in seconds, each by one profile."""

import asyncio
import time
from decimal import Decimal

from hub.ocpi import times
from hub.ocpi.names import SESSIONS
from hub.sandbox import objects
from hub.testing import CPO, EMSP
from tests.plugins.load_manager.area import R, area

SESSIONS_COUNT = 1000
WITHIN_S = 10.0
AT_ONCE = 50


async def test_a_drop_for_many_sessions_is_out_within_ten_seconds() -> None:
    async with area() as a:
        await a.location([16] * SESSIONS_COUNT)
        await a.consent(rate_per_s=1000)
        await a.group(20_000)
        slots = asyncio.Semaphore(AT_ONCE)

        async def begin(number: int) -> None:
            body = objects.session("NL/CPO", f"S{number}", driver=EMSP, last_updated=a.now)
            body |= {"evse_uid": f"E{number}", "start_date_time": times.render(a.now)}
            async with slots:
                answer = await a.b.cpo.call("PUT", SESSIONS, R, f"NL/CPO/S{number}", to=EMSP, sender=CPO, body=body)
            assert answer.status_code == 1000

        await asyncio.gather(*(begin(number) for number in range(1, SESSIONS_COUNT + 1)))
        await a.wait(10)
        assert a.puts() == []
        started_s = time.monotonic()
        await a.limit(6 * SESSIONS_COUNT)
        await a.b.until(lambda: len(a.puts()) >= SESSIONS_COUNT, WITHIN_S)
        await a.b.settle()
        puts = a.puts()
        assert puts[-1].at_s - started_s < WITHIN_S
        assert len(puts) == len({put.tail for put in puts}) == SESSIONS_COUNT
        assert set(a.told().values()) == {Decimal("8.6")}
