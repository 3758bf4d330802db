"""Heartbeats of the hub: to every capacity provider in contact that asked for them, at the interval it asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.plugin import HubApi, Timer
from plugins.load_manager.oscp.access import NotDelivered
from plugins.load_manager.oscp.book import ProviderBook
from plugins.load_manager.oscp.contact import INTERVALS_OF_GRACE
from plugins.load_manager.oscp.messages import Heartbeat
from plugins.load_manager.oscp.outgoing import TIMEOUT_S, Outgoing
from plugins.load_manager.oscp.provider import Provider

PATH = "heartbeat"
_DEFAULT_INTERVAL_S = 60.0


@dataclass(slots=True)
class Beating:
    """The heartbeats to one provider. `problem` is why the last did not arrive."""

    interval_s: float
    timer: Timer
    sent: int = 0
    last_at: datetime | None = None
    problem: str | None = None


class Heartbeats:
    """Sends them. A heartbeat is not tried again: the next one says the same, and later."""

    def __init__(self, hub: HubApi, book: ProviderBook, outgoing: Outgoing) -> None:
        self.beating = False
        self._hub = hub
        self._book = book
        self._outgoing = outgoing
        self._rhythms: dict[str, Beating] = {}

    @property
    def rhythms(self) -> Mapping[str, Beating]:
        """By provider id."""
        return self._rhythms

    def begin(self) -> None:
        """From now on they are sent from here. Everybody gets one at once: nobody knows how long there was none."""
        self.beating = True
        for provider in self._book:
            self.follow(provider)
            if provider.id in self._rhythms:
                self._hub.spawn(self._beat(provider.id), name="first heartbeat")

    def end(self) -> None:
        self.beating = False
        for provider_id in list(self._rhythms):
            self.stop(provider_id)

    def follow(self, provider: Provider) -> None:
        """Beats as the provider wants it now. Nothing is sent to one that is offline: it shall notice that a handshake
        is due.
        """
        wanted_s = provider.heartbeat_s if self.beating and provider.in_contact else None
        rhythm = self._rhythms.get(provider.id)
        if rhythm is not None and rhythm.interval_s == wanted_s:
            return
        self.stop(provider.id)
        if wanted_s is not None:
            timer = self._hub.every(wanted_s, lambda: self._beat(provider.id))
            self._rhythms[provider.id] = Beating(wanted_s, timer)

    def stop(self, provider_id: str) -> None:
        rhythm = self._rhythms.pop(provider_id, None)
        if rhythm is not None:
            rhythm.timer.cancel()

    async def send(self, provider: Provider) -> None:
        """One heartbeat, now. Raises NotDelivered."""
        interval_s = provider.heartbeat_s or _DEFAULT_INTERVAL_S
        offline_mode_at = self._hub.now() + timedelta(seconds=INTERVALS_OF_GRACE * interval_s)
        # With its answer awaited it still comes twice within the time that the one before it bought.
        timeout_s = min(TIMEOUT_S, interval_s)
        message = Heartbeat(offline_mode_at=offline_mode_at)
        await self._outgoing.send(provider.id, PATH, message, retry_after_s=(), timeout_s=timeout_s)

    async def _beat(self, provider_id: str) -> None:
        provider, rhythm = self._book.at_hand(provider_id), self._rhythms.get(provider_id)
        if provider is None or rhythm is None:
            return
        if not provider.in_contact:
            self.follow(provider)
            return
        try:
            await self.send(provider)
        except NotDelivered as failed:
            if rhythm.problem is None:
                self._hub.log.warning("a heartbeat did not arrive", provider=provider_id, why=str(failed))
            rhythm.problem = str(failed)
        else:
            rhythm.sent, rhythm.last_at, rhythm.problem = rhythm.sent + 1, self._hub.now(), None
