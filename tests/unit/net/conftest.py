"""What every test of the wires gets: forwarders that are closed, and proof that nothing was left behind or logged."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from ipaddress import ip_network
from typing import Any

import pytest
from blockbuster import BlockBuster

from hub.net.client import PooledForwarder
from hub.net.egress import EgressGuard
from hub.net.tls import Trust

MakeForwarder = Callable[..., PooledForwarder]


@pytest.fixture(autouse=True, scope="package")
def quick_collections() -> None:
    """What was left until now is set aside, so that a collection after each test looks at that test's objects. It stays
    aside: with it would come back what was set aside when all tests were collected.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def never_blocking() -> Iterator[None]:
    blockbuster = BlockBuster(scanned_modules=["hub"])
    blockbuster.activate()
    yield
    blockbuster.deactivate()


@pytest.fixture(scope="package")
def system_trust() -> Trust:
    return Trust()


@pytest.fixture(autouse=True)
def nothing_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Failures of the network are values: no line, and above all no traceback, may come of them."""
    caplog.set_level(logging.INFO)
    yield
    assert [record.getMessage() for record in caplog.records if record.exc_info or record.levelno > logging.INFO] == []


@pytest.fixture(params=[True, False], ids=["direct", "session"])
def direct(request: pytest.FixtureRequest) -> bool:
    """Every test runs against both ways of getting a request onto a connection."""
    return bool(request.param)


@pytest.fixture
async def make_forwarder(system_trust: Trust, direct: bool) -> AsyncIterator[MakeForwarder]:
    """Makes forwarders that may connect to 127.0.0.0/8; closes them and looks for what they left behind."""
    async with AsyncExitStack() as stack:

        def make(guard: EgressGuard | None = None, **settings: Any) -> PooledForwarder:
            given = {"connect_timeout_s": 5.0, "in_flight": 500, "trust": system_trust, "direct": direct, **settings}
            forwarder = PooledForwarder(guard or EgressGuard([ip_network("127.0.0.0/8")]), **given)
            stack.push_async_callback(forwarder.close)
            return forwarder

        yield make
    assert asyncio.all_tasks() == {asyncio.current_task()}
    gc.collect()  # a socket or session that was not closed warns now, and a warning is an error


@pytest.fixture
def forwarder(make_forwarder: MakeForwarder) -> PooledForwarder:
    return make_forwarder()
