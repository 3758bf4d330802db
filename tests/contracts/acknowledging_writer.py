"""A process that writes to a SQLite store from many tasks and prints each id once its write was acknowledged, until it
is killed: `python -m tests.contracts.acknowledging_writer FILE`.
"""

import asyncio
import os
import sys
from pathlib import Path

from hub.store.ports import Store
from hub.store.sqlite.store import SqliteStore
from tests.contracts.catalog_samples import fan_out, of
from tests.contracts.samples import callback, cdr_location, invited, new_id

_TASKS = 20


async def _write_on(store: Store) -> None:
    while True:
        home, location, platform = callback(), cdr_location(), invited()
        await store.callbacks.save(home)
        _acknowledge("callbacks", home.id)
        await store.cdr_locations.save(location)
        _acknowledge("cdr_locations", location.id)
        await store.platforms.insert(platform)
        _acknowledge("platforms", platform.id)
        key = of(new_id())
        order = await fan_out(store, key)
        _acknowledge("catalog", f"{key.object_id}={order}")


def _acknowledge(port: str, key: str) -> None:
    os.write(1, f"{port} {key}\n".encode())  # one call, so that no line is mixed with another


async def main(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    await asyncio.gather(*(_write_on(store) for _ in range(_TASKS)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
