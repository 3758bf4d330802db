"""The Flexibility Provider of OSCP 2.0 put together: capacity providers as operators see them, and all that the load
manager calls.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from hub.plugin import HubApi, Route, Timer
from plugins.load_manager.oscp.access import Access, NotDelivered
from plugins.load_manager.oscp.book import ProviderBook
from plugins.load_manager.oscp.contact import Contact
from plugins.load_manager.oscp.door import ROOT, Door, presented
from plugins.load_manager.oscp.forecasts import Forecasts
from plugins.load_manager.oscp.handshakes import OFFER_EVERY_S, Handshakes
from plugins.load_manager.oscp.heartbeats import Heartbeats
from plugins.load_manager.oscp.messages import new_token
from plugins.load_manager.oscp.outgoing import Outgoing
from plugins.load_manager.oscp.port import CapacityPort
from plugins.load_manager.oscp.profile import Auth, Profile
from plugins.load_manager.oscp.provider import Kind, Provider, State
from plugins.load_manager.oscp.registration import Registration, bare
from plugins.load_manager.oscp.reports import Reports

# What reached other nodes is noticed so late at most by the one that watches.
LOOK_AROUND_EVERY_S = 10.0


@dataclass(frozen=True, slots=True)
class Invitation:
    """What an operator hands to a capacity provider. A registration token is good once; that of a provider whose
    profile has no registration is what it presents for good.
    """

    id: str
    registration_token: str = field(repr=False)
    base_url: str


@dataclass(frozen=True, slots=True)
class View:
    """A capacity provider for operators. `heartbeat_problem` says why the hub's last heartbeat did not arrive."""

    id: str
    name: str
    kind: Kind
    state: State
    base_url: str | None
    offline_mode_at: datetime | None
    offline_since: datetime | None
    heartbeats_in: int
    last_heartbeat_in_at: datetime | None
    heartbeats_out: int
    last_heartbeat_out_at: datetime | None
    heartbeat_problem: str | None
    last_signal_at: datetime | None
    profile: dict[str, object]


class CapacityProviders:
    """All of them. `public_url` is where the hub is reached. Everything raises StoreUnavailable; whatever names a
    provider raises UnknownProvider.
    """

    def __init__(self, hub: HubApi, port: CapacityPort, public_url: str) -> None:
        self._hub = hub
        self._book = ProviderBook(hub)
        self._access = Access(hub)
        self._outgoing = Outgoing(hub, self._book, self._access)
        self._contact = Contact(hub, self._book, port)
        self._heartbeats = Heartbeats(hub, self._book, self._outgoing)
        self._handshakes = Handshakes(hub, self._book, self._outgoing, self._contact, self._heartbeats)
        self._registration = Registration(
            hub,
            self._book,
            outgoing=self._outgoing,
            access=self._access,
            contact=self._contact,
            handshakes=self._handshakes,
            heartbeats=self._heartbeats,
            base_url=public_url.rstrip("/") + ROOT,
        )
        self._forecasts = Forecasts(hub, self._book, port)
        self._door = Door(
            hub,
            self._book,
            registration=self._registration,
            handshakes=self._handshakes,
            contact=self._contact,
            heartbeats=self._heartbeats,
            forecasts=self._forecasts,
        )
        self._timers: list[Timer] = []
        self.reports = Reports(self._book, self._outgoing)

    # --- its life ---

    async def open(self) -> None:
        """Knows its providers from here on, and serves them."""
        await self._book.open()

    async def watch(self) -> None:
        """This node sends the heartbeats and looks after the deadlines from now on: one node at a time does."""
        self.unwatch()
        await self._contact.watch()
        self._heartbeats.begin()
        self._timers = [
            self._hub.every(LOOK_AROUND_EVERY_S, self._look_around),
            self._hub.every(OFFER_EVERY_S, self._handshakes.offer_where_due),
        ]

    def unwatch(self) -> None:
        """Another node does. Safe twice, and without `watch`."""
        self._contact.unwatch()
        self._heartbeats.end()
        while self._timers:
            self._timers.pop().cancel()

    def routes(self) -> Iterable[Route]:
        """What capacity providers call."""
        return self._door.routes()

    async def _look_around(self) -> None:
        await self._book.refresh()
        for provider in self._book:
            self._contact.look_at(provider)
            self._heartbeats.follow(provider)

    # --- what operators do ---

    async def create(self, name: str, profile: Profile | None = None) -> Invitation:
        """A provider that registers here."""
        provider, token = self._new(name, profile or Profile())
        if not provider.profile.registers:
            raise ValueError("a provider that does not register is connected by its version_url")
        known = self._hub.secrets.fingerprint(token)
        await self._book.add(provider.with_(registration_token=known))
        return Invitation(provider.id, token, self._registration.base_url)

    async def create_native(self, name: str) -> Invitation:
        """A provider that does not speak OSCP: its token is for the hub's own API, and good for good."""
        provider, token = self._new(name, Profile(registers=False))
        known = self._hub.secrets.fingerprint(token)
        await self._book.add(provider.with_(kind=Kind.NATIVE, state=State.REGISTERED, inbound_token=known))
        return Invitation(provider.id, token, "")

    async def native_of(self, authorization: str | None) -> str | None:
        """The id of the provider that presents this `Authorization` header to the hub's own API; None: nobody's."""
        token = presented(authorization)
        if token is None:
            return None
        fingerprint = self._hub.secrets.fingerprint(token)
        provider = await self._book.current(fingerprint)
        return provider.id if provider is not None and provider.kind is Kind.NATIVE else None

    async def connect(
        self, name: str, version_url: str, token: str | None = None, profile: Profile | None = None
    ) -> Invitation:
        """The hub registers with a provider, by a token that the provider gave; or, without registration, knows from
        now on where it is. Raises NotDelivered, and then there is no such provider; Refused for a URL that is none.
        """
        provider, ours = self._new(name, profile or Profile())
        if token is None and (provider.profile.registers or provider.profile.auth is Auth.TOKEN):
            raise ValueError("a token of the provider is needed")
        provider = provider.with_(
            state=State.REGISTERING if provider.profile.registers else State.REGISTERED,
            base_url=bare(version_url),
            inbound_token=self._hub.secrets.fingerprint(ours),
            outbound_token=None if token is None else self._hub.secrets.seal(token),
        )
        await self._book.add(provider)
        try:
            if provider.profile.registers:
                await self._registration.begin(provider, ours)
            else:
                self._handshakes.offer_if_due(provider)
        except NotDelivered:
            await self._forget(provider.id)
            raise
        return Invitation(provider.id, ours, self._registration.base_url)

    def _new(self, name: str, profile: Profile) -> tuple[Provider, str]:
        sealed = profile.sealed(self._hub.secrets)
        provider_id = f"dso-{secrets.token_hex(6)}"
        return Provider(id=provider_id, name=name, created_at=self._hub.now(), profile=sealed), new_token()

    async def invite(self, provider_id: str) -> Invitation:
        """Another registration token, for a provider that is to register again."""
        token = await self._registration.invite(provider_id)
        return Invitation(provider_id, token, self._registration.base_url)

    async def rotate(self, provider_id: str) -> None:
        """Gives the provider another token to present. Raises NotDelivered; then the old one is good."""
        await self._registration.rotate(provider_id)

    async def get(self, provider_id: str) -> View:
        return self._view(await self._book.get(provider_id))

    def every(self) -> list[View]:
        """As this node knows them, by name."""
        return [self._view(one) for one in sorted(self._book, key=lambda one: (one.name, one.id))]

    async def test_signal(self, provider_id: str) -> None:
        """A heartbeat, which steers nothing, to try the wire. Raises NotDelivered."""
        provider = await self._book.get(provider_id)
        if provider.state is State.REGISTERING:
            raise NotDelivered("it is not registered")
        await self._heartbeats.send(provider)

    async def remove(self, provider_id: str) -> None:
        """Takes leave of it, if it can be told, and forgets it; its groups have no contact from now on."""
        provider = await self._book.get(provider_id)
        await self._registration.take_leave(provider)
        async with self._book.turn(provider_id):
            await self._contact.lose(provider_id, "it was removed")
            await self._forget(provider_id)

    async def _forget(self, provider_id: str) -> None:
        await self._book.remove(provider_id)
        self._contact.forget(provider_id)
        self._heartbeats.stop(provider_id)
        self._access.remove(provider_id)
        self._forecasts.forget(provider_id)
        self._door.forget(provider_id)

    def _view(self, provider: Provider) -> View:
        rhythm = self._heartbeats.rhythms.get(provider.id)
        return View(
            id=provider.id,
            name=provider.name,
            kind=provider.kind,
            state=provider.state,
            base_url=provider.base_url,
            offline_mode_at=provider.offline_mode_at,
            offline_since=provider.offline_since,
            heartbeats_in=provider.heartbeats_in,
            last_heartbeat_in_at=provider.last_heartbeat_in_at,
            heartbeats_out=0 if rhythm is None else rhythm.sent,
            last_heartbeat_out_at=None if rhythm is None else rhythm.last_at,
            heartbeat_problem=None if rhythm is None else rhythm.problem,
            last_signal_at=provider.last_signal_at,
            profile=provider.profile.shown(),
        )
