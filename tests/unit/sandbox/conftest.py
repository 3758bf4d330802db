"""Two simulated platforms that know each other: a CPO registered (as Sender) at an eMSP, with no hub between."""

from collections.abc import AsyncIterator

import pytest

from hub.ocpi.names import Role
from hub.sandbox import SandboxPlatform


@pytest.fixture
async def emsp() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Emsp", [(Role.EMSP, "NL", "EMA")]) as platform:
        yield platform


@pytest.fixture
async def cpo(emsp: SandboxPlatform) -> AsyncIterator[SandboxPlatform]:
    """The CPO, registered at `emsp`; both start with empty records."""
    async with SandboxPlatform("Cpo", [(Role.CPO, "NL", "CPA")]) as platform:
        handshake = await platform.register(emsp.versions_url, emsp.issue_token())
        assert handshake.ok, handshake.problem
        platform.received.clear()
        emsp.received.clear()
        yield platform
