"""A fixture for pytest: `plugin_bench` opens benches and sees to it that none stays open. It knows of no runner of
coroutines, and loads the hub only when a test asks for a bench.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from hub.testing.benches import Bench

OpenBench = Callable[..., AbstractAsyncContextManager["Bench"]]


@pytest.fixture
def plugin_bench() -> Iterator[OpenBench]:
    """`async with plugin_bench(MyPlugin, config=...) as b`, as `hub.testing.bench`. A test fails that leaves a bench
    open, and one whose plugin left tasks behind.
    """
    opened: list[Bench] = []

    @asynccontextmanager
    async def open_bench(*plugins: type[Any], **options: Any) -> AsyncIterator["Bench"]:
        from hub.testing.benches import bench

        async with bench(*plugins, **options) as made:
            opened.append(made)
            yield made

    yield open_bench
    left = [one for one in opened if one.is_open]
    for one in left:
        one.close_from_outside()
    leaking = sorted({plugin for one in opened for plugin, _, kind in one.failures if kind == "leaked"})
    if left:
        pytest.fail("a bench was left open: leave it by the end of its async with block")
    if leaking:
        pytest.fail(f"tasks were still there after stop(), of {', '.join(leaking)}: start them with hub.spawn")
