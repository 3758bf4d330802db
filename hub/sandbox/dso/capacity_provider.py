"""A simulated DSO that speaks OSCP 2.0 as Capacity Provider: the parts put together, and all that tests, demo and
terminal call.
"""

import asyncio
import ssl
from types import TracebackType
from typing import Self

from hub.clock import Clock, SystemClock
from hub.ocpi.token import TokenEncoding, new_token
from hub.sandbox.client import Client
from hub.sandbox.connection import Connection
from hub.sandbox.dso.counterpart import AuthorizationServer, Link
from hub.sandbox.dso.habits import DsoHabits
from hub.sandbox.dso.serving import ROOT, TOKEN_PATH, Serving
from hub.sandbox.dso.speaking import Speaking
from hub.sandbox.dso.taking import Taking
from hub.sandbox.faults import Faults
from hub.sandbox.habits import Habits
from hub.sandbox.listener import Listener
from hub.sandbox.received import ReceivedLog


class SandboxDso:
    """One DSO: what came in is in `received` (by path: `received.of("heartbeat")`), what goes wrong in `faults`, what
    it knows of the other side in `link`.

    `oauth2` are client id and secret: then it wants access tokens of an authorization server of its own. `{port}` in
    `base_url` is filled in at the start.
    """

    def __init__(
        self,
        name: str = "Sandbox DSO",
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        trust: ssl.SSLContext | None = None,
        base_url: str | None = None,
        habits: DsoHabits | None = None,
        oauth2: tuple[str, str] | None = None,
        access_token_life_s: float = 300.0,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self.name = name
        self.habits = habits or DsoHabits()
        self.received = ReceivedLog()
        self.faults = Faults(clock)
        self.link = Link()
        life_s = access_token_life_s
        self.authorization = None if oauth2 is None else AuthorizationServer(*oauth2, life_s, clock)
        self._root_url = (base_url or f"{'http' if tls is None else 'https'}://{host}:{{port}}").rstrip("/")
        self._client = Client(Connection(), Habits(sends=TokenEncoding.PLAIN), trust)
        self._speaking = Speaking(self.link, self.habits, self._client, clock, base_url=lambda: self.base_url)
        self._taking = Taking(self.link, self.habits, self._speaking)
        serving = Serving(
            link=self.link,
            habits=self.habits,
            received=self.received,
            faults=self.faults,
            clock=clock,
            authorization=self.authorization,
            take=self._taking.take,
        )
        self._listener = Listener(host, port, tls, serving.on_request)
        # What its parts do in its name.
        self.send = self._speaking.send
        self.register = self._speaking.register
        self.rotate = self._speaking.rotate
        self.unregister = self._speaking.unregister
        self.handshake = self._speaking.handshake
        self.heartbeat = self._speaking.heartbeat
        self.start_heartbeats = self._speaking.start_heartbeats
        self.stop_heartbeats = self._speaking.stop_heartbeats
        self.forecast = self._speaking.forecast
        self.wait_for = self.received.wait_for
        self.go_dark = self._listener.dark
        self.come_back = self._listener.light

    @property
    def root_url(self) -> str:
        return self._root_url.replace("{port}", str(self._listener.port))

    @property
    def base_url(self) -> str:
        """Where messages to it go, without a slash at the end."""
        return self.root_url + ROOT

    @property
    def token_url(self) -> str:
        """Of its authorization server."""
        return self.root_url + TOKEN_PATH

    def issue_token(self) -> str:
        """A token with which the other side may register, once."""
        self.link.registration_token = new_token()
        return self.link.registration_token

    async def registered(self, timeout_s: float = 5.0) -> None:
        """Returns when both sides hold each other's token. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self.link.registered.wait()

    async def acknowledged(self, timeout_s: float = 5.0) -> None:
        """Returns when hands are shaken. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self.link.acknowledged.wait()

    async def start(self) -> None:
        """Listens. Raises OSError when the port is taken."""
        await self._client.open()
        try:
            await self._listener.open()
        except OSError:
            await self._client.close()
            raise

    async def stop(self) -> None:
        """Ends everything that runs; safe without a start and twice."""
        self.stop_heartbeats()
        await self._taking.close()
        await self._listener.close()
        await self._client.close()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def __repr__(self) -> str:
        return f"<SandboxDso {self.name} at {self.base_url}>"
