"""A simulated OCPI 2.2.1 platform on real sockets: the parts put together, and all that tests and demos call."""

import ssl
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from hub.clock import Clock, SystemClock
from hub.ocpi import names, urls
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox.authorization import Authorization
from hub.sandbox.behaviours import Behaviour, usual_behaviours
from hub.sandbox.book import Book
from hub.sandbox.cdrs import CdrInbox
from hub.sandbox.charging_profiles import ChargingProfiles
from hub.sandbox.client import Client
from hub.sandbox.commands import Commands
from hub.sandbox.connection import Connection, Counterpart
from hub.sandbox.credentials import ConfigurationModules
from hub.sandbox.custom import CustomModules
from hub.sandbox.endpoints import CALLBACK_ROOT, ROOT, Directory, EndpointLike, endpoints_for
from hub.sandbox.faults import Faults
from hub.sandbox.habits import Habits
from hub.sandbox.held import HeldObjects
from hub.sandbox.listener import Listener
from hub.sandbox.owned import OwnedObjects
from hub.sandbox.parties import RoleLike
from hub.sandbox.publishing import Publishing
from hub.sandbox.received import ReceivedLog
from hub.sandbox.registration import Handshake, Registration
from hub.sandbox.reply import Replies
from hub.sandbox.reporting import Reporting
from hub.sandbox.results import Results
from hub.sandbox.resync import Resync
from hub.sandbox.serving import Serving


class SandboxPlatform:
    """One platform: its parties in `roles`, what came in in `received`, what goes wrong in `faults`.

    `own` holds the objects of its parties (a hub's: also of those behind it), `held` what it got from others. `tls` is
    the server's context, `trust` the one its own requests use. `base_url` is what it calls itself; `{port}` in it is
    filled in at the start.
    """

    def __init__(
        self,
        name: str,
        roles: Sequence[RoleLike],
        *,
        modules: Iterable[EndpointLike] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        trust: ssl.SSLContext | None = None,
        base_url: str | None = None,
        habits: Habits | None = None,
        clock: Clock | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self.name = name
        self.roles: list[RoleLike] = list(roles)
        self.habits = habits or Habits()
        self.endpoints = endpoints_for(roles, modules)
        self.received = ReceivedLog()
        self.faults = Faults(clock)
        self.own = Book()
        self.held = Book()
        self.connection = Connection()
        self.replies = Replies(clock)
        self._base_url = (base_url or f"{'http' if tls is None else 'https'}://{_bracketed(host)}:{{port}}").rstrip("/")
        self._directory = Directory(self.endpoints)
        self._client = Client(self.connection, self.habits, trust)
        self._registration = Registration(self.connection, self._client, self.credentials)
        self.results = Results(self._client, clock)
        self.commands = Commands(self.replies, self.results)
        self.profiles = ChargingProfiles(self._client, self.replies, self.results, clock)
        self.owned = OwnedObjects(self.own, self.habits, self.replies, lambda: self.base_url, self._is_hub)
        self.reporting = Reporting(self.own, self._client, clock)
        self._behaviours = usual_behaviours(
            self.endpoints,
            owned=self.owned,
            held=HeldObjects(self.held, self.habits, self.replies),
            cdrs=CdrInbox(self.held, self.habits, self.replies, lambda: self.url(names.CDRS, Interface.RECEIVER)),
            authorization=Authorization(self.own, self.habits, self.replies),
            commands=self.commands,
            profiles=self.profiles,
            custom=CustomModules(self.own, self.replies),
            replies=self.replies,
        )
        serving = Serving(
            directory=self._directory,
            configuration=ConfigurationModules(
                connection=self.connection,
                client=self._client,
                directory=self._directory,
                habits=self.habits,
                replies=self.replies,
                base_url=lambda: self.base_url,
                credentials=self.credentials,
            ),
            connection=self.connection,
            received=self.received,
            faults=self.faults,
            habits=self.habits,
            replies=self.replies,
            clock=clock,
            hosts=lambda party: party in self.parties or self.reporting.reports(party),
            behaviours=self._behaviours,
        )
        self._listener = Listener(host, port, tls, serving.on_request)
        # What its parts do in its name.
        self.call = self._client.call
        self.crawl = self._client.crawl
        self.publish = Publishing(self.own, self._client, self.connection).publish
        self.resync = Resync(self.held, self._client, self.connection).resync
        self.report = self.reporting.report
        self.wait_for = self.received.wait_for
        self.send_result = self.results.send
        self.push_active_profile = self.profiles.push
        self.issue_token = self.connection.issue_registration_token
        self.hand_out = self.connection.hand_out
        self.register = self._registration.register
        self.unregister = self._registration.unregister
        self.go_dark = self._listener.dark
        self.come_back = self._listener.light

    @property
    def base_url(self) -> str:
        return self._base_url.replace("{port}", str(self._listener.port))

    @property
    def port(self) -> int:
        """The port it listens on; 0 before the start when any would do."""
        return self._listener.port

    @property
    def versions_url(self) -> str:
        return f"{self.base_url}{ROOT}/versions"

    @property
    def open_connections(self) -> int:
        """How many connections others hold to it."""
        return self._listener.connections

    @property
    def parties(self) -> list[PartyId]:
        """The parties it hosts, each once."""
        return list(dict.fromkeys(PartyId(country_code, party_id) for _, country_code, party_id in self.roles))

    def _is_hub(self, party: PartyId) -> bool:
        return any(role is Role.HUB and party == PartyId(country, name) for role, country, name in self.roles)

    @property
    def counterpart(self) -> Counterpart | None:
        """What it knows about the other side; None when it is not registered."""
        return self.connection.counterpart

    def url(self, module: str, interface: Interface, tail: str = "") -> str:
        """The URL of one of its own endpoints as it advertises it. Raises KeyError when it has none."""
        endpoint = self._directory.get(module, interface)
        if endpoint is None:
            raise KeyError(f"{self.name} has no {module} {interface}")
        return urls.join(endpoint.url(self.base_url), tail)

    def callback_url(self, tail: str) -> str:
        """A URL of its own for an asynchronous result; what comes there is recorded under the module `callback`."""
        return f"{self.base_url}{CALLBACK_ROOT}/{tail}"

    def credentials(self, token: str) -> dict[str, Any]:
        """Its credentials object around a token."""
        roles = [
            {
                "role": role.value,
                "country_code": country_code,
                "party_id": party_id,
                "business_details": {"name": f"{self.name} {country_code}/{party_id}"},
            }
            for role, country_code, party_id in self.roles
        ]
        return {"token": token, "url": self.versions_url, "roles": roles}

    def serve(self, module: str, interface: Interface, behaviour: Behaviour) -> None:
        """Replaces what one of its endpoints answers; tokens, paths, methods and headers stay as OCPI wants them."""
        self._behaviours[(module, interface)] = behaviour

    async def update(self, *, roles: Sequence[RoleLike] | None = None, token_b: str | None = None) -> Handshake:
        """PUT credentials with a new token, and with these roles if given; a refusal changes nothing."""
        before = self.roles
        self.roles = before if roles is None else list(roles)
        handshake = await self._registration.update(token_b)
        if not handshake.ok:
            self.roles = before
        return handshake

    async def start(self) -> None:
        """Listens. Raises OSError when the port is taken."""
        await self._client.open()
        try:
            await self._listener.open()
        except OSError:
            await self._client.close()
            raise

    async def stop(self) -> None:
        """Ends everything that runs, hanging requests too; safe without a start and twice."""
        await self.results.close()
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
        return f"<SandboxPlatform {self.name} at {self.base_url}>"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
