"""A MongoDB for the tests, as a pytest plugin: the server at OCPI_HUB_TEST_MONGODB_URL when that is set, else a
stand-in process that speaks MongoDB's wire protocol, started here on a free port with a folder of its own.
"""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

URL_VARIABLE = "OCPI_HUB_TEST_MONGODB_URL"
_START_TIMEOUT_S = 20
_STOP_TIMEOUT_S = 10
_NONE = f"no MongoDB to test against: set {URL_VARIABLE}, or install SecantusDB (part of the test extra)"


def _command_line(port: int, folder: Path) -> list[str]:
    """What runs the stand-in in the foreground."""
    options = ["--host", "127.0.0.1", "--port", str(port), "--storage-path", str(folder)]
    return [sys.executable, "-m", "secantus", *options, "--cache-size", "64M", "--log-level", "ERROR"]


def _stand_in_is_installed() -> bool:
    return importlib.util.find_spec("secantus") is not None


class MongoServer:
    """A stand-in process on a port and a folder it keeps over restarts."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="ocpi-hub-mongodb-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Returns when it answers; on the port and the folder of the last time, if there was one."""
        for _ in range(3):  # a port that was free may be taken a moment later
            self.port = self.port or _free_port()
            command = _command_line(self.port, self._folder / "files")
            with (self._folder / "log").open("ab") as log:
                self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self._folder)
            if self._answers():
                return
            self.kill()
            self.port = 0
        raise RuntimeError((self._folder / "log").read_text(errors="replace")[-2000:])

    def kill(self) -> None:
        """SIGKILL, as a power switch would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_TIMEOUT_S)
            self._process = None

    def stop(self) -> None:
        """Ends the process and removes its folder, so there is nothing it would have to save."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _answers(self) -> bool:
        # The driver itself knocks every half second until the server is there.
        with MongoClient[dict[str, object]](
            self.url, directConnection=True, serverSelectionTimeoutMS=_START_TIMEOUT_S * 1000
        ) as client:
            try:
                client.admin.command("ping")
            except PyMongoError:
                return False
            return self._process is not None and self._process.poll() is None


def pytest_report_header() -> str:
    if os.environ.get(URL_VARIABLE):
        return f"MongoDB: the server at {URL_VARIABLE}"
    return "MongoDB: SecantusDB, started by the tests" if _stand_in_is_installed() else f"MongoDB: {_NONE}"


@pytest.fixture(scope="session")
def mongodb_server_url() -> Iterator[str]:
    """The URL of a server, shared by all tests of this process; tests take `mongodb_url` instead."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        yield given
        return
    server = _server()
    try:
        server.start()
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def mongodb_url(mongodb_server_url: str) -> Iterator[str]:
    """The URL of a fresh database, dropped afterwards."""
    name = f"ocpi_hub_test_{uuid.uuid4().hex}"
    yield with_database(mongodb_server_url, name)
    with MongoClient[dict[str, object]](mongodb_server_url, serverSelectionTimeoutMS=5000) as client:
        client.drop_database(name)


@pytest.fixture
def own_mongodb() -> Iterator[MongoServer]:
    """A stand-in for this test alone, which may kill and restart it; never the server at the given URL."""
    server = _server()
    try:
        server.start()
        yield server
    finally:
        server.stop()


def with_database(server_url: str, name: str) -> str:
    """The same URL with this database in its path. Credentials in it keep their meaning."""
    parts = urlsplit(server_url)
    query = parts.query
    if parts.username and "authSource=" not in query:
        query = "&".join(filter(None, (query, f"authSource={parts.path.strip('/') or 'admin'}")))
    return urlunsplit(parts._replace(path=f"/{name}", query=query))


def _server() -> MongoServer:
    if not _stand_in_is_installed():
        pytest.skip(_NONE)
    return MongoServer()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
