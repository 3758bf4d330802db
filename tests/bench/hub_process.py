"""A hub of its own process for benchmarks. `python -m tests.bench.hub_process DATA_DIR PORT [--uvloop] [--timeout=S]
[--database=URL] [--plugins]`; runs no plugins, or those it has by default; ends when stdin ends.
"""

import asyncio
import contextlib
import sys
from pathlib import Path

from hub import app, logs
from tests.hubs import test_settings


async def main(folder: Path, port: int, timeout_s: float, database_url: str | None, *, plugins: bool) -> None:
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
    with (folder / "legs.log").open("ab") as legs:
        async with app.running(settings, legs_to=legs) as hub:
            app.settle_heap()
            print(hub.settings.port, flush=True)  # noqa: T201 - the parent reads the port
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    options = sys.argv[3:]
    given = dict(one.split("=", 1) for one in options if "=" in one)
    timeout_s = float(given.get("--timeout", 25))
    work = main(Path(sys.argv[1]), int(sys.argv[2]), timeout_s, given.get("--database"), plugins="--plugins" in options)
    with contextlib.suppress(KeyboardInterrupt):
        if "--uvloop" in options:
            import uvloop

            asyncio.Runner(loop_factory=uvloop.new_event_loop).run(work)
        else:
            asyncio.run(work)
