"""A hub as a process of its own, started the way an operator does, so that it can be killed and started again."""

import asyncio
import itertools
import os
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

from hub.ocpi import codec
from hub.web.admin import AdminClient
from tests.hubs import ADMIN_TOKEN, SECRET_KEY
from tests.waiting import until

_FIRST_PORT, _PORTS_EACH, _MOST_WORKERS = 20_000, 500, 20
_counted = itertools.count()


def free_port() -> int:
    """A port nobody listens on now, and nobody gets by chance before it is used: it is below those that the system
    hands out, and every worker of the tests has its own.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    first = _FIRST_PORT + int(worker) % _MOST_WORKERS * _PORTS_EACH
    for number in itertools.islice(_counted, _PORTS_EACH):
        port = first + number % _PORTS_EACH
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("none of the ports of this worker is free")


class HubProcess:
    """`python -m hub serve` on a fixed port with its data in `folder`."""

    def __init__(self, folder: Path, database_url: str | None = None, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.versions_url = f"{self.url}/ocpi/versions"
        self.log = folder / "hub.log"
        values = {
            "PORT": str(self.port),
            "DATA_DIR": str(folder),
            "ADMIN_TOKEN": ADMIN_TOKEN,
            "SECRET_KEY": SECRET_KEY,
            "ALLOW_HTTP": "true",
            "ALLOWED_NETWORKS": "127.0.0.0/8",
            "FORWARD_TIMEOUT": "5",
            **({"DATABASE_URL": database_url} if database_url else {}),
            **settings,
        }
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("OCPI_HUB_")}
        self.environ |= {f"OCPI_HUB_{name}": value for name, value in values.items()}
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, timeout_s: float = 20.0) -> None:
        """Starts the process and waits until it says that it is ready."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "hub", "serve", env=self.environ, stdout=log, stderr=log
            )
        await until(self._is_ready, timeout_s)

    async def _is_ready(self) -> bool:
        assert self._process is not None
        if self._process.returncode is not None:
            raise RuntimeError(f"the hub ended with {self._process.returncode}: {self.log.read_text()[-2000:]}")
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            writer.write(b"GET /readyz HTTP/1.0\r\n\r\n")
            return b" 200 " in await reader.readline()
        finally:
            writer.close()

    async def kill(self) -> None:
        """kill -9."""
        await self.end(signal.SIGKILL)

    async def end(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 20.0) -> int:
        """Sends a signal and waits for the end; the exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.returncode is None:
            process.send_signal(number)
        async with asyncio.timeout(timeout_s):
            return await process.wait()

    async def invite(self, name: str) -> str:
        """A registration token from the admin API."""
        async with AdminClient(self.url, ADMIN_TOKEN) as admin:
            answer = await admin.call("POST", "/platforms", {"name": name})
        assert isinstance(answer, dict), codec.pretty(answer)
        return str(answer["registration_token"])
