"""The four routing modes, put together."""

from dataclasses import dataclass

from hub.app.core import Core
from hub.broker.broadcasting import Broadcasting
from hub.broker.callbacks import Callbacks
from hub.broker.catalog_lists import CatalogLists
from hub.broker.cdr_locations import CdrLocations
from hub.broker.direct import DirectRouting
from hub.broker.fan_out import FanOut
from hub.broker.knowledge import Knowledge
from hub.broker.open_routing import OpenRouting
from hub.broker.page_links import PageLinks
from hub.broker.plugins.taking import Taking
from hub.broker.pull_book import PullBook
from hub.broker.pull_crawl import PullCrawls
from hub.broker.pull_pages import PullPages
from hub.broker.pull_plan import PullPlan
from hub.broker.pulls import Pulls
from hub.broker.returning import ReturningUrls
from hub.broker.walk import Walk
from hub.domain.decisions import Choices


@dataclass(frozen=True, slots=True)
class Routing:
    """The walk of functional requests, and what of it works beside them."""

    choices: Choices
    walk: Walk
    returning: ReturningUrls
    callbacks: Callbacks
    broadcasting: Broadcasting
    fan_out: FanOut
    knowledge: Knowledge
    pulls: Pulls


def routing(core: Core) -> Routing:
    """Everything that moves messages between parties."""
    settings = core.settings
    choices = Choices(
        core.identity.party,
        lenient_lists=settings.lenient_lists,
        broadcast_own_platform=settings.broadcast_own_platform,
        broadcast_across_hubs=settings.broadcast_across_hubs,
    )
    callbacks = Callbacks(
        store=core.store.callbacks,
        registry=core.registry,
        outreach=core.outreach,
        identity=core.identity,
        clock=core.clock,
        retention_s=settings.callback_retention,
    )
    knowledge = Knowledge(core.store.known, core.clock, core.metrics)
    page_links = PageLinks(core.links, core.registry, core.identity, core.clock)
    cdr_locations = CdrLocations(core.store, core.identity, core.clock)
    direct = DirectRouting(
        registry=core.registry,
        legs=core.legs,
        answers=core.answers,
        callbacks=callbacks,
        page_links=page_links,
        cdr_locations=cdr_locations,
        knowledge=knowledge,
    )
    returning = ReturningUrls(
        registry=core.registry,
        liveness=core.liveness,
        legs=core.legs,
        direct=direct,
        callbacks=callbacks,
        page_links=page_links,
        cdr_locations=cdr_locations,
    )
    fan_out = FanOut(
        choices=choices,
        registry=core.registry,
        liveness=core.liveness,
        legs=core.legs,
        broadcasts=core.store.broadcasts,
        catalog=core.store.catalog,
        alarms=core.alarms,
        metrics=core.metrics,
        clock=core.clock,
        watching=core.watching,
        connections=settings.platform_connections,
    )
    broadcasting = Broadcasting(
        choices=choices,
        registry=core.registry,
        liveness=core.liveness,
        legs=core.legs,
        answers=core.answers,
        catalog=core.store.catalog,
        fan_out=fan_out,
        knowledge=knowledge,
        clock=core.clock,
    )
    lists = CatalogLists(
        catalog=core.store.catalog,
        registry=core.registry,
        identity=core.identity,
        legs=core.legs,
        answers=core.answers,
        fan_out=fan_out,
        clock=core.clock,
    )
    open_routing = OpenRouting(
        registry=core.registry,
        liveness=core.liveness,
        legs=core.legs,
        answers=core.answers,
        knowledge=knowledge,
        ask_all=settings.authorize_all,
    )
    walk = Walk(
        choices=choices,
        registry=core.registry,
        liveness=core.liveness,
        legs=core.legs,
        direct=direct,
        returning=returning,
        broadcasting=broadcasting,
        lists=lists,
        open_routing=open_routing,
        taking=Taking(callbacks, core.spoken),
    )
    return Routing(
        choices, walk, returning, callbacks, broadcasting, fan_out, knowledge, _pulls(core, broadcasting, fan_out)
    )


def _pulls(core: Core, broadcasting: Broadcasting, fan_out: FanOut) -> Pulls:
    """What the hub fetches itself from owners that do not push."""
    book = PullBook(core.store.pulls)
    crawls = PullCrawls(
        book=book,
        pages=PullPages(core.legs, core.registry, core.identity.party),
        registry=core.registry,
        catalog=core.store.catalog,
        broadcasting=broadcasting,
        fan_out=fan_out,
        alarms=core.alarms,
        clock=core.clock,
        news=core.catalog_news,
    )
    plan = PullPlan(
        book=book,
        crawls=crawls,
        registry=core.registry,
        liveness=core.liveness,
        clock=core.clock,
    )
    return Pulls(book=book, plan=plan, crawls=crawls, registry=core.registry, clock=core.clock)
