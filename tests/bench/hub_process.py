"""A hub of its own process for benchmarks. `python -m tests.bench.hub_process DATA_DIR PORT [--uvloop]`; ends when
stdin ends.
"""

import asyncio
import contextlib
import sys
from pathlib import Path

from hub import app, logs
from tests.hubs import test_settings


async def main(folder: Path, port: int) -> None:
    logs.configure("warning", "json", sys.stderr)
    settings = test_settings(folder, port=port, forward_timeout=25.0, platform_connections=1000)
    with (folder / "legs.log").open("ab") as legs:
        async with app.running(settings, legs_to=legs) as hub:
            app.settle_heap()
            print(hub.settings.port, flush=True)  # noqa: T201 - the parent reads the port
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        if "--uvloop" in sys.argv:
            import uvloop

            asyncio.Runner(loop_factory=uvloop.new_event_loop).run(main(Path(sys.argv[1]), int(sys.argv[2])))
        else:
            asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
