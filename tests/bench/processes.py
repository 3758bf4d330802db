"""Processes under measurement: started with a pipe, pinned to a core where the system can, their CPU time read from
/proc.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MEASURED_CORE = 0
LOAD_CORE = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """A running process that printed the port it listens on."""

    pid: int
    port: int

    @property
    def cpu_s(self) -> float:
        """User and system time so far, in seconds; all threads, to the nanosecond."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    @property
    def rss_mib(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def pin(pid: int, core: int) -> None:
    """Keeps a process on one core, if there are two."""
    if len(os.sched_getaffinity(0)) > 1 or core == LOAD_CORE:
        cores = sorted(os.sched_getaffinity(pid))
        if len(cores) > core:
            os.sched_setaffinity(pid, {cores[core]})


@contextmanager
def running(module: str, *arguments: str, core: int | None) -> Iterator[Measured]:
    """Runs `python -m module`, on one core if it is given; prints its port and ends when its standard input does."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            line = process.stdout.readline()
            if not line.strip():
                raise RuntimeError(f"{module} did not start")
            if core is not None:
                pin(process.pid, core)
            yield Measured(process.pid, int(line))
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
