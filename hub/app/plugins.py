"""The plugins of a hub, put together: what they share of it, what holds them, and who watches over them."""

import asyncio
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from hub.app.core import Core
from hub.app.routing import Routing
from hub.broker.client_info import ClientInfos
from hub.broker.departures import Departures
from hub.broker.ids import record_id
from hub.broker.intake import Intake
from hub.broker.plugins.choices import ChoiceBook
from hub.broker.plugins.computing import Computing
from hub.broker.plugins.facade import Services
from hub.broker.plugins.host import PluginHost
from hub.broker.plugins.local_parties import LocalParties
from hub.broker.plugins.making import Maker
from hub.broker.plugins.notices import Notices
from hub.broker.plugins.overview import families
from hub.broker.plugins.party_news import PartyNews
from hub.broker.plugins.sending import Sending
from hub.broker.plugins.wanted import Settled, Wanting
from hub.errors import SettingsError, StoreUnavailable
from hub.plugin.loader import Available, open_folder
from hub.plugin.watchdog import Blocked, Watchdog
from hub.settings import Settings

log = structlog.get_logger("hub.plugins")


@dataclass(frozen=True, slots=True)
class Plugins:
    """What runs plugins."""

    host: PluginHost
    parties: LocalParties
    news: PartyNews
    computing: Computing
    watchdog: Watchdog


@dataclass(frozen=True, slots=True)
class Given:
    """Where plugins come from besides what is installed: `reread` gives the settings as they are now, `source` names
    their file; `more` are plugins that are handed in.
    """

    reread: Callable[[], Settings] | None = None
    source: str = "the settings"
    more: Sequence[Available] = ()

    def settled(self, settings: Settings) -> Settled:
        """What the settings say about plugins now."""
        now = settings if self.reread is None else self.reread()
        return Settled(now.plugins, now.plugin, now.plugin_folder, self.source)


def plugins(  # noqa: PLR0917 - called in one place
    core: Core, routes: Routing, intake: Intake, infos: ClientInfos, departures: Departures, given: Given
) -> Plugins:
    """Makes the host; no plugin runs yet."""
    settings = core.settings
    folder = settings.plugin_folder
    computing = Computing(None if folder is None else functools.partial(open_folder, folder))
    sending = Sending(
        registry=core.registry,
        intake=intake,
        walk=routes.walk,
        returning=routes.returning,
        callbacks=routes.callbacks,
        watching=core.watching,
        contexts=core.plugin_secrets,
        clock=core.clock,
    )
    services = Services(
        store=core.store,
        registry=core.registry,
        infos=infos,
        sending=sending,
        computing=computing,
        alarms=core.alarms,
        clock=core.clock,
        fingerprints=core.fingerprints,
        sealed=core.plugin_secrets,
    )
    notices = Notices(core.alarms, core.metrics)
    maker = Maker(
        services,
        metrics=core.metrics,
        forwarder=core.forwarder,
        guard=core.guard,
        notices=notices,
        node_id=record_id(),
        allow_http=settings.allow_http,
        trace=settings.plugin_trace,
    )
    parties = LocalParties(
        registry=core.registry,
        liveness=core.liveness,
        departures=departures,
        vault=core.vault,
        contexts=core.plugin_secrets,
        spoken=core.spoken,
        hub=core.identity.party,
        clock=core.clock,
    )
    core.legs.local = parties
    loop = asyncio.get_running_loop()

    def blocked(block: Blocked) -> None:
        log.warning("a plugin holds the event loop", plugin=block.plugin, hook=block.function, stack=block.stack)
        loop.call_soon_threadsafe(lambda: host.blocked(block))

    watchdog = Watchdog(loop.call_soon_threadsafe, maker.sources.owner, blocked)
    host = PluginHost(
        read=lambda: given.settled(settings),
        wanting=Wanting(given.more),
        maker=maker,
        watching=core.watching,
        parties=parties,
        notices=notices,
        book=ChoiceBook(core.store.shelf),
        clock=core.clock,
        watch=watchdog.start,
    )
    core.metrics.source(lambda: families(host))
    core.catalog_news.plugins = lambda: host.running
    return Plugins(host, parties, PartyNews(infos, lambda: host.running), computing, watchdog)


class Reloads:
    """Reloading plugins on a signal, one after the other."""

    def __init__(self, host: PluginHost) -> None:
        self._host = host
        self._task: asyncio.Task[None] | None = None
        self._again = False

    def soon(self) -> None:
        """Reloads now, or once more when the one that runs is done."""
        if self._task is not None and not self._task.done():
            self._again = True
            return
        self._task = asyncio.get_running_loop().create_task(self._reload(), name="reload of plugins")

    async def _reload(self) -> None:
        while True:
            self._again = False
            try:
                await self._host.reload()
            except (SettingsError, StoreUnavailable) as problem:
                log.error("plugins were not reloaded; what ran goes on", problem=str(problem))
            if not self._again:
                return

    async def close(self) -> None:
        if self._task is not None:
            await asyncio.wait({self._task})
