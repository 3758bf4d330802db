"""The grid behind its doors."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.plugins.load_manager.doors.small_grid import Site, site


@pytest.fixture
async def s() -> AsyncIterator[Site]:
    async with site() as s:
        yield s
