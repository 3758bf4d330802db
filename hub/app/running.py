"""A hub from its start to its end: what is opened, loaded, run and closed, and in which order."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, BinaryIO

import structlog

from hub.app.assembly import RunningHub, assembled
from hub.app.core import core
from hub.app.plugins import Given, Reloads
from hub.broker.alarms import Alarms
from hub.clock import Clock, SystemClock
from hub.settings import Settings
from hub.store.open import create
from hub.store.ports import Store
from hub.web.server import ServerLimits, serving

log = structlog.get_logger("hub")

# Young objects die by reference count; what is left for the collector are cycles of error paths, which can wait. It
# walks thousands of them at a time, for tens of thousands would hold the event loop longer than messages should wait.
_GC_THRESHOLDS = (5_000, 1, 2_000)
# Seconds the hub gives connections to end when it has no deadline of its own to wait for.
_LEAST_DRAIN_S = 1.0


async def serve(settings: Settings, *, legs_to: BinaryIO | None = None, given: Given | None = None) -> None:
    """Runs a hub until SIGTERM or SIGINT, then drains for at most the forward deadline. SIGHUP reloads plugins."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with running(settings, legs_to=legs_to, given=given) as hub:
        reloads = Reloads(hub.plugins)
        loop.add_signal_handler(signal.SIGHUP, reloads.soon)
        log.info("hub is ready", url=hub.url, public_url=settings.public_url, store=settings.database_shown)
        settle_heap()
        await stop.wait()
        hub.ops.draining = True
        await reloads.close()
        log.info("hub is draining", in_flight=hub.metrics.in_flight)
    log.info("hub has stopped")


def settle_heap() -> None:
    """Sets the heap of the start aside: the collector would walk it for every few messages and find nothing."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    clock: Clock | None = None,
    store: Store | None = None,
    legs_to: BinaryIO | None = None,
    given: Given | None = None,
) -> AsyncIterator[RunningHub]:
    """A hub with everything it owns, serving; stopped in reverse order at the end. Secrets must be set
    (`ensure_secrets`).

    Raises SettingsError, StoreUnavailable, KeyUnusable or OSError (the port is taken) when it cannot start.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(_listener(settings.host, settings.port))
        settings = _with_port(settings, listener.getsockname()[1])
        store = store or create(settings.database_url, settings.mongodb_driver, settings.data_dir)
        await store.open()
        stack.push_async_callback(store.close)
        base = await core(settings, store, clock, legs_to=legs_to or sys.stdout.buffer, stack=stack)
        hub = assembled(base, _url(settings.host, settings.port), given or Given())
        await base.registry.load()
        base.liveness.restore()
        stack.push_async_callback(base.registry.close)
        stack.push_async_callback(base.forwarder.close)
        stack.push_async_callback(hub.plugins.computing.close)
        stack.callback(hub.plugins.watchdog.stop)
        stack.push_async_callback(hub.plugins.host.stop)
        await hub.plugins.host.start()
        hub.plugins.news.start()
        hub.parts.client_info.start()
        await hub.routing.fan_out.resume()
        stack.push_async_callback(hub.routing.knowledge.flush)
        tasks = await stack.enter_async_context(_owned_tasks())
        for name, work in hub.work:
            tasks.append(asyncio.create_task(_told_of(name, work(), base.alarms), name=name))
        stack.push_async_callback(hub.routing.fan_out.stop)
        await hub.routing.fan_out.clear_backlog()
        limits = ServerLimits(
            int(settings.max_body), int(settings.header_limit), max(settings.forward_timeout, _LEAST_DRAIN_S)
        )
        await stack.enter_async_context(serving(hub.doors, listener, limits))
        yield hub.parts


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=1024, reuse_port=False)


def _with_port(settings: Settings, port: int) -> Settings:
    """With PORT 0 the system chose one, and a PUBLIC_URL nobody set follows it."""
    if settings.port == port:
        return settings
    changes: dict[str, object] = {"port": port}
    if "public_url" not in settings.model_fields_set:
        changes["public_url"] = _url(settings.host, port)
    return settings.model_copy(update=changes)


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _told_of(name: str, work: Coroutine[Any, Any, None], alarms: Alarms) -> None:
    """Work that runs beside the traffic. It should never fail; if it does, an operator must know at once."""
    try:
        await work
    except Exception:
        log.exception("a background task failed", task=name)
        alarms.sound(
            "task_failed", name, "a background task of the hub failed; restart it and report the log", standing=True
        )


@asynccontextmanager
async def _owned_tasks() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Tasks that run beside the traffic: cancelled and awaited at the end."""
    tasks: list[asyncio.Task[None]] = []
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
