"""Functions for another process to find."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

initialized = False


class NeedsMore(Exception):
    """Cannot be unpickled: it is called with less than it needs."""

    def __init__(self, why: str, *, how: str) -> None:
        super().__init__(f"{why} by {how}")


def initialize() -> None:
    global initialized  # noqa: PLW0603 - a process has one state of this
    initialized = True


def fail_to_initialize() -> NoReturn:
    raise OSError("the folder is gone")


def was_initialized() -> bool:
    return initialized


def add(one: int, two: int) -> int:
    return one + two


def pid() -> int:
    return os.getpid()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> NoReturn:
    sys.exit("enough")


def survive_sigint() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    return "alive"


def refuse(text: str) -> NoReturn:
    raise KeyError(text)


def refuse_strangely() -> NoReturn:
    raise NeedsMore("refused", how="hand")


def give_function() -> object:
    return lambda: None


def mark_and_stay(mark: str) -> NoReturn:
    """Writes its process id into a file, and never returns."""
    partial = Path(mark + ".part")
    partial.write_text(f"{os.getpid()}")
    partial.rename(mark)
    while True:
        time.sleep(60)
