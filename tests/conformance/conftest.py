"""While scenarios run, a call of the hub that blocks the event loop is an error."""

from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster


@pytest.fixture(autouse=True)
def never_blocking() -> Iterator[None]:
    blockbuster = BlockBuster(scanned_modules=["hub"])
    blockbuster.activate()
    yield
    blockbuster.deactivate()
