"""Whether a capacity provider is there: the one place where contact begins and ends, and where the load manager is told
of it.

Rules
- A handshake begins contact; the provider then has three of the intervals it was asked for to send a heartbeat.
- Each heartbeat moves the deadline forward, never back, and at most a day ahead.
- At the deadline contact ends. A heartbeat alone does not bring it back.
"""

from datetime import datetime, timedelta

from hub.plugin import HubApi, Timer
from plugins.load_manager.oscp.book import ProviderBook, UnknownProvider
from plugins.load_manager.oscp.messages import RequiredBehaviour
from plugins.load_manager.oscp.port import CapacityPort, Refused
from plugins.load_manager.oscp.provider import NEVER, Provider, State

INTERVALS_OF_GRACE = 3
FARTHEST_S = 24 * 3600
_ALARM = "capacity_provider_offline"


class Contact:
    """Begins and ends it; whoever calls has the provider's turn. `watching` False: another node looks after the
    deadlines.
    """

    def __init__(self, hub: HubApi, book: ProviderBook, port: CapacityPort) -> None:
        self.watching = False
        self._hub = hub
        self._book = book
        self._port = port
        self._timers: dict[str, tuple[Timer, datetime]] = {}

    async def watch(self) -> None:
        """From now on deadlines are looked after here. Whose contact has ended before is told again."""
        self.watching = True
        for known in self._book:
            async with self._book.turn(known.id):
                provider = self._book.at_hand(known.id) or known
                if provider.offline_since is not None:
                    await self._port.on_offline(provider.id, provider.offline_since)
                self.look_at(provider)

    def unwatch(self) -> None:
        self.watching = False
        while self._timers:
            self._timers.popitem()[1][0].cancel()

    async def begin(self, provider_id: str, required: RequiredBehaviour | None) -> Provider:
        """A handshake has succeeded, and the provider wants this of the hub."""
        now = self._hub.now()
        interval = None if required is None else required.heartbeat_interval
        heartbeat_s = None if interval is None else float(interval)
        measurements = None if required is None else required.measurement_configuration

        def shaken(provider: Provider) -> Provider:
            interval_s = provider.profile.heartbeat_interval_s
            grace = None if interval_s is None else now + timedelta(seconds=INTERVALS_OF_GRACE * interval_s)
            state = State.ONLINE if grace is None else State.HANDSHAKEN
            return provider.with_(
                state=state,
                heartbeat_s=heartbeat_s,
                measurements=measurements,
                handshake_id=None,
                offline_mode_at=grace,
                offline_since=None,
            )

        provider = await self._book.change(provider_id, shaken)
        self._hub.clear_alarm(_ALARM, provider_id)
        await self._port.on_online(provider_id)
        self.look_at(provider)
        return provider

    async def heartbeat(self, provider_id: str, offline_mode_at: datetime) -> Provider:
        """It is there until then, at least. Raises Refused for a moment that is past."""
        now = self._hub.now()
        if offline_mode_at <= now:
            raise Refused(400, "offline_mode_at is past")
        until = min(offline_mode_at, now + timedelta(seconds=FARTHEST_S))

        def seen(provider: Provider) -> Provider:
            counted = provider.with_(heartbeats_in=provider.heartbeats_in + 1, last_heartbeat_in_at=now)
            if not provider.in_contact or provider.offline_mode_at is None:
                return counted
            return counted.with_(state=State.ONLINE, offline_mode_at=max(provider.offline_mode_at, until))

        provider = await self._book.change(provider_id, seen, may_wait=True)
        self.look_at(provider)
        return provider

    async def lose(self, provider_id: str, why: str, *, state: State = State.OFFLINE) -> None:
        """Contact ends now, whatever was announced. The load manager is told if there was any."""
        await self._end(provider_id, self._hub.now(), why, state, even_early=True)

    def forget(self, provider_id: str) -> None:
        """The provider is gone."""
        timer = self._timers.pop(provider_id, None)
        if timer is not None:
            timer[0].cancel()
        self._hub.clear_alarm(_ALARM, provider_id)

    def look_at(self, provider: Provider) -> None:
        """Sees to it that somebody looks at the deadline, or before."""
        if not self.watching or not provider.in_contact or provider.deadline == NEVER:
            return
        armed = self._timers.get(provider.id)
        if armed is not None:
            if armed[1] <= provider.deadline:
                return  # it looks again when it wakes
            armed[0].cancel()
        timer = self._hub.call_at(provider.deadline, lambda: self._wake(provider.id))
        self._timers[provider.id] = (timer, provider.deadline)

    async def _wake(self, provider_id: str) -> None:
        self._timers.pop(provider_id, None)
        async with self._book.turn(provider_id):
            try:
                provider = await self._book.get(provider_id)
            except UnknownProvider:
                return
            if provider.in_contact and provider.deadline <= self._hub.now():
                await self._end(provider_id, provider.deadline, "its heartbeats stopped", State.OFFLINE)
            else:
                self.look_at(provider)

    async def _end(
        self, provider_id: str, since: datetime, why: str, state: State, *, even_early: bool = False
    ) -> None:
        ended = False

        def gone(provider: Provider) -> Provider:
            nonlocal ended
            ended = provider.in_contact and (even_early or provider.deadline <= since)
            if ended or state is State.REGISTERING:
                return provider.with_(state=state, offline_mode_at=None, offline_since=since, handshake_id=None)
            return provider

        provider = await self._book.change(provider_id, gone, may_wait=True)
        if ended:
            text = f"The capacity provider {provider.name} is offline: {why}; fallback limits hold for its groups"
            self._hub.alarm(_ALARM, provider_id, text, standing=True)
            self._hub.log.warning("a capacity provider is offline", provider=provider_id, why=why)
            await self._port.on_offline(provider_id, since)
