"""Keeps a second hub away from a database file. The kernel drops the lock with the process, however it ends."""

import fcntl
import os
from pathlib import Path

from hub.errors import StoreUnavailable


class FileLock:
    """An exclusive lock beside a file, held until released or until the process is gone."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(path.name + ".lock")
        self._guarded = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises StoreUnavailable when somebody else holds it, OSError when the lock file cannot be written."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreUnavailable(
                f"{self._guarded} is in use by another hub (process {holder}): "
                "SQLite serves one hub, several need MongoDB"
            ) from None
        except OSError:
            os.close(descriptor)
            raise
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Safe to call twice. The file stays: removing it would let two processes lock two different files."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
