"""What every test may ask for: settings of a hub for this test alone, the hub running, and the fixture world at it."""

import gc
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub import app
from hub.app import RunningHub
from hub.sandbox.world import World, fixture_world
from hub.settings import Settings
from tests.hub_process import free_port
from tests.hubs import id_of, register_all, test_settings
from tests.waiting import until

pytest_plugins = ["tests.mongodb"]

# Tests believe the authorities they make and no other, also in processes they start. A hub reads those of the system
# when it starts, which would be a third of the time that takes. (A MongoDB of your own behind TLS needs `tlsCAFile`.)
os.environ |= {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}

# A hundred of the tests start a hub as a process of its own: each would compile the whole of it anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

MOST_WORKERS = 8


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """For `-n auto`: one more than there are cores, because a third of what the tests take is waiting; not so many that
    starting them costs more than they save. None: as the environment says.
    """
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(cores + 1, MOST_WORKERS)


@pytest.fixture
def unused_tcp_port() -> int:
    """A port that stays free until the test uses it."""
    return free_port()


def pytest_collection_finish() -> None:
    """Sets aside what thousands of collected tests are: the collector would walk it again and again for nothing."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A hub on a port of its own, SQLite in a temporary folder, loopback allowed, short deadlines."""
    return test_settings(tmp_path)


@pytest.fixture
async def hub(settings: Settings, tmp_path: Path) -> AsyncIterator[RunningHub]:
    """A running hub; its leg lines go to `legs.log` in the temporary folder."""
    with (tmp_path / "legs.log").open("wb") as legs:
        async with app.running(settings, legs_to=legs) as running:
            yield running


@pytest.fixture
async def world(hub: RunningHub) -> AsyncIterator[World]:
    """The fixture world, registered at the hub, with nothing received yet. P10 is OFFLINE."""
    async with fixture_world() as platforms:
        await register_all(hub, platforms)
        hub.liveness.offline.add(id_of(hub, "P10"))
        hub.client_info.changed()
        await until(lambda: hub.client_info.quiet)
        platforms.forget_received()
        yield platforms
