"""Registration, from either side: each learns where the other is and which token it wants to see.

Rules
- The provider begins, with a registration token of the hub: the token is used up, the answer is 204, and the hub sends
  its own Register with the token that the provider presents from then on.
- The hub begins, with a token of the provider: its Register carries the token that the provider presents, and the
  provider's own Register, which comes back with it, completes the registration.
- A Register of a registered provider (PUT, or POST) changes where it is and what it wants to see.
- The hub changes its own side by PUT; the token before stays good until the new one is seen, for the provider may have
  missed it.
"""

from hub.ocpi import urls
from hub.plugin import HubApi
from plugins.load_manager.oscp.access import Access, NotDelivered
from plugins.load_manager.oscp.book import ProviderBook, UnknownProvider
from plugins.load_manager.oscp.contact import Contact
from plugins.load_manager.oscp.handshakes import Handshakes
from plugins.load_manager.oscp.heartbeats import Heartbeats
from plugins.load_manager.oscp.messages import Register, VersionUrl, new_token
from plugins.load_manager.oscp.outgoing import Outgoing
from plugins.load_manager.oscp.port import Refused
from plugins.load_manager.oscp.provider import VERSION, Provider, State

PATH = "register"
_ALARM = "capacity_provider_not_registered"


class Registration:
    """Registers. `base_url` is what the hub calls itself."""

    def __init__(
        self,
        hub: HubApi,
        book: ProviderBook,
        *,
        outgoing: Outgoing,
        access: Access,
        contact: Contact,
        handshakes: Handshakes,
        heartbeats: Heartbeats,
        base_url: str,
    ) -> None:
        self.base_url = base_url
        self._hub = hub
        self._book = book
        self._outgoing = outgoing
        self._access = access
        self._contact = contact
        self._handshakes = handshakes
        self._heartbeats = heartbeats

    # --- what providers ask for, each in its turn ---

    async def registered(self, provider: Provider, fingerprint: str, request_id: str, message: Register) -> None:
        """A Register has come, with the token of this fingerprint. Raises Refused."""
        base_url = chosen(message)
        if fingerprint == provider.registration_token:
            await self._answer_first(provider, fingerprint, request_id, base_url, message.token)
            return
        sealed = self._hub.secrets.seal(message.token)

        def updated(one: Provider) -> Provider:
            state = State.REGISTERED if one.state is State.REGISTERING else one.state
            return one.with_(state=state, base_url=base_url, outbound_token=sealed)

        self._completed(await self._book.change(provider.id, updated))

    async def _answer_first(
        self, provider: Provider, fingerprint: str, request_id: str, base_url: str, their_token: str
    ) -> None:
        ours = new_token()
        sealed, ours_known = self._hub.secrets.seal(their_token), self._hub.secrets.fingerprint(ours)

        def used_up(one: Provider) -> Provider:
            if one.registration_token != fingerprint:  # another node was faster
                raise Refused(401, "the token is not valid here")
            state = State.REGISTERED if one.state is State.REGISTERING else one.state
            return one.with_(
                state=state,
                registration_token=None,
                inbound_token=ours_known,
                former_inbound_token=None,
                outbound_token=sealed,
                base_url=base_url,
            )

        changed = await self._book.change(provider.id, used_up)
        self._hub.spawn(self._send_first(changed, ours, request_id), name="answer a registration")

    async def _send_first(self, provider: Provider, ours: str, request_id: str) -> None:
        try:
            await self._outgoing.after_answer()
            await self._outgoing.send(provider.id, PATH, self._register(ours), correlation_id=request_id)
        except NotDelivered as failed:
            text = f"The registration of {provider.name} was not completed: {failed}; invite it again"
            self._hub.alarm(_ALARM, provider.id, text, standing=True)
        else:
            self._completed(provider)

    def _completed(self, provider: Provider) -> None:
        self._hub.clear_alarm(_ALARM, provider.id)
        self._access.forget(provider.id)
        self._handshakes.offer_if_due(provider)

    async def unregistered(self, provider: Provider) -> None:
        """The provider takes its leave: nobody's tokens are good any more, fallback limits hold for its groups."""
        await self._contact.lose(provider.id, "it has unregistered", state=State.REGISTERING)
        self._heartbeats.stop(provider.id)
        self._access.forget(provider.id)

        def without(one: Provider) -> Provider:
            return one.with_(
                registration_token=None,
                inbound_token=None,
                former_inbound_token=None,
                outbound_token=None,
                base_url=None,
                heartbeat_s=None,
                measurements=None,
            )

        await self._book.change(provider.id, without)

    # --- what operators ask for ---

    async def invite(self, provider_id: str) -> str:
        """A registration token; one that was given out before is not good any more. Raises UnknownProvider."""
        token = new_token()
        known = self._hub.secrets.fingerprint(token)
        await self._book.change(provider_id, lambda one: one.with_(registration_token=known))
        self._hub.clear_alarm(_ALARM, provider_id)
        return token

    async def begin(self, provider: Provider, ours: str) -> None:
        """The hub's Register to a provider that knows `ours` from it on. Raises NotDelivered, and is not tried again:
        an operator waits for it.
        """
        await self._outgoing.send(provider.id, PATH, self._register(ours), retry_after_s=())

    async def rotate(self, provider_id: str) -> None:
        """Gives the provider another token to present. Raises UnknownProvider; NotDelivered, and the old is good."""
        ours = new_token()
        known = self._hub.secrets.fingerprint(ours)

        def another(one: Provider) -> Provider:
            if one.inbound_token is None or one.base_url is None or one.state is State.REGISTERING:
                raise NotDelivered("it is not registered")
            return one.with_(inbound_token=known, former_inbound_token=one.former_inbound_token or one.inbound_token)

        await self._book.change(provider_id, another)
        await self._outgoing.send(provider_id, PATH, self._register(ours), method="PUT", retry_after_s=())

    async def take_leave(self, provider: Provider) -> None:
        """Tells the provider that it is removed, if it can be told."""
        if provider.base_url is None or not provider.profile.registers:
            return
        try:
            await self._outgoing.send(provider.id, PATH, None, method="DELETE", retry_after_s=())
        except (NotDelivered, UnknownProvider) as failed:
            self._hub.log.info("a capacity provider was not told that it is removed", why=str(failed))

    def _register(self, token: str) -> Register:
        return Register(token=token, version_url=(VersionUrl(version=VERSION, base_url=self.base_url),))


def chosen(message: Register) -> str:
    """The provider's base URL in the version that both speak, without a slash at its end. Raises Refused."""
    found = next((one.base_url for one in message.version_url if one.version == VERSION), None)
    if found is None:
        raise Refused(501, f"there is no version in common: {VERSION} is spoken here")
    return bare(found)


def bare(url: str) -> str:
    """A base URL as it is kept. Raises Refused when it cannot be one."""
    if urls.origin(url) is None or not urls.printable(url) or "?" in url or "#" in url:
        raise Refused(400, "base_url is not an http(s) URL")
    return url.rstrip("/").removesuffix("/register")
