"""A hub of its own process for benchmarks. `python -m tests.bench.hub_process DATA_DIR PORT [--uvloop] [--timeout=S]
[--database=URL] [--plugins] [--holds=FILE]`; runs no plugins, or those it has by default; ends when stdin ends.
On SIGUSR1 it writes to FILE how long its event loop was held.
"""

import asyncio
import contextlib
import sys
from pathlib import Path

from hub import app, logs
from tests.bench.holds import metered, tell_on_signal
from tests.hubs import test_settings


async def main(
    folder: Path, port: int, timeout_s: float, database_url: str | None, holds: Path | None, *, plugins: bool
) -> None:
    logs.configure("warning", "json", sys.stderr)
    changes: dict[str, object] = {} if database_url is None else {"database_url": database_url}
    if plugins:
        changes["plugins"] = None
    settings = test_settings(
        folder,
        port=port,
        forward_timeout=timeout_s,
        platform_connections=1000,
        **changes,
    )
    with contextlib.ExitStack() as stack:
        legs = stack.enter_context((folder / "legs.log").open("ab"))
        async with app.running(settings, legs_to=legs) as hub:
            app.settle_heap()
            if holds is not None:
                tell_on_signal(stack.enter_context(metered()), holds)
            print(hub.settings.port, flush=True)  # noqa: T201 - the parent reads the port
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    options = sys.argv[3:]
    given = dict(one.split("=", 1) for one in options if "=" in one)
    timeout_s = float(given.get("--timeout", 25))
    holds = Path(given["--holds"]) if "--holds" in given else None
    plugins = "--plugins" in options
    work = main(Path(sys.argv[1]), int(sys.argv[2]), timeout_s, given.get("--database"), holds, plugins=plugins)
    with contextlib.suppress(KeyboardInterrupt):
        if "--uvloop" in options:
            import uvloop

            asyncio.Runner(loop_factory=uvloop.new_event_loop).run(work)
        else:
            asyncio.run(work)
