"""The command line as people and scripts use it, a hub in a process of its own, simulated platforms beside it."""

import asyncio
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.ocpi import codec
from hub.sandbox import SandboxPlatform
from hub.sandbox.parties import RoleLike
from tests.hubs import ADMIN_TOKEN, SECRET_KEY

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 30.0
# What a process gets of the variables that the tests run with; the latter two say whom it believes.
KEPT = ("PATH", "HOME", "SSL_CERT_FILE", "SSL_CERT_DIR")

T = TypeVar("T")


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """Variables of a hub of this test alone; nothing of the machine's own settings."""
    values = {
        "PORT": "0",
        "DATA_DIR": str(folder),
        "ADMIN_TOKEN": ADMIN_TOKEN,
        "SECRET_KEY": SECRET_KEY,
        "ALLOW_HTTP": "true",
        "ALLOWED_NETWORKS": "127.0.0.0/8",
        "FORWARD_TIMEOUT": "2",
        "CONNECT_BACK_TIMEOUT": "2",
    }
    return {f"OCPI_HUB_{name}": value for name, value in (values | changes).items()}


class Cli:
    """`ocpi-hub` with an environment; `run` is in this process, output is never a terminal."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = dict(env)

    def run(self, *arguments: str) -> Result:
        """The result of one command, whatever it was."""
        unset = {name: None for name in os.environ if name.startswith("OCPI_HUB_")}
        result = CliRunner().invoke(main, arguments, env={**unset, **self.env, "COLUMNS": "20"})
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.output
        assert "\x1b" not in result.output
        return result

    def done(self, *arguments: str) -> str:
        """The standard output of a command that must work."""
        result = self.run(*arguments)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        return codec.loads(self.done(*arguments, "--json"))

    def refused(self, *arguments: str, code: int = 1) -> str:
        """The sentence of a command that must not work."""
        result = self.run(*arguments)
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        return result.stderr.strip()


class Program:
    """`python -m hub ...` as a process; its output is read as it comes."""

    def __init__(self, env: Mapping[str, str], *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "hub", *arguments],
            cwd=ROOT,
            env={name: os.environ[name] for name in KEPT if name in os.environ} | dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self._readers = [
            threading.Thread(target=self._read, args=(stream, kept), daemon=True)
            for stream, kept in ((self._process.stdout, self.stdout), (self._process.stderr, self.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Any, kept: list[str]) -> None:
        with stream:
            for raw in stream:
                line = raw.decode().rstrip("\n")
                kept.append(line)
                self._lines.put(line)

    def until(self, text: str) -> str:
        """The first line with this text, on either stream."""
        while True:
            line = self._lines.get(timeout=PATIENCE_S)
            if text in line:
                return line

    def ready(self) -> str:
        """The URL of a hub, once it serves."""
        return str(codec.loads(self.until("hub is ready"))["url"])

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit code after this signal."""
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Its exit code when it ends by itself."""
        code = self._process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        return code

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self.wait()


@contextmanager
def program(env: Mapping[str, str], *arguments: str) -> Iterator[Program]:
    """A process that is gone after the block, whatever happens."""
    started = Program(env, *arguments)
    try:
        yield started
    finally:
        started.kill()
        for reader in started._readers:
            reader.join(PATIENCE_S)


class BesidePlatform:
    """A simulated platform on a thread of its own, for tests that block."""

    def __init__(self, name: str, roles: list[RoleLike]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.platform = SandboxPlatform(name, roles)
        self.run(self.platform.start)

    def run(self, call: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> T:
        """A coroutine on its thread."""
        return asyncio.run_coroutine_threadsafe(call(*arguments), self._loop).result(PATIENCE_S)

    def close(self) -> None:
        self.run(self.platform.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()


@pytest.fixture(scope="module")
def hub_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A hub that serves for all tests of a module."""
    with program(environment(tmp_path_factory.mktemp("hub")), "serve") as hub:
        yield hub.ready()


@pytest.fixture
def cli(hub_url: str, tmp_path: Path) -> Cli:
    """The command line beside that hub."""
    return Cli(environment(tmp_path, PUBLIC_URL=hub_url))


@pytest.fixture
def beside() -> Iterator[Callable[..., BesidePlatform]]:
    """Makes platforms: `beside("Charge", (Role.CPO, "NL", "CPA"))`."""
    made: list[BesidePlatform] = []

    def make(name: str, *roles: RoleLike) -> BesidePlatform:
        made.append(BesidePlatform(name, list(roles)))
        return made[-1]

    yield make
    for one in made:
        one.close()
