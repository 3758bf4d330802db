"""A process without rights that tries to open a SQLite store in a folder it may only read, and prints why it could not:
`python -m tests.contracts.readonly_opener FILE`.
"""

import asyncio
import os
import sys
from pathlib import Path

from hub.errors import StoreUnavailable
from hub.store.sqlite.store import SqliteStore

_NOBODY = 65_534


async def main(path: Path) -> None:
    if os.geteuid() == 0:  # the superuser may write anywhere
        os.setgid(_NOBODY)
        os.setuid(_NOBODY)
    try:
        await SqliteStore(path).open()
    except StoreUnavailable as problem:
        print(problem)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
