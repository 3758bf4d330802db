"""While these run, a call of the load manager that blocks the event loop is an error; the bench makes folders."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster


@pytest.fixture(autouse=True)
def never_blocking() -> Iterator[None]:
    blockbuster = BlockBuster(scanned_modules=["plugins"])
    blockbuster.activate()
    yield
    blockbuster.deactivate()
