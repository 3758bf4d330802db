"""Going dark: nothing listens, nothing stays open, and the port is still one's own."""

import asyncio
import contextlib
import gc
import socket
import warnings

import pytest

from hub.ocpi.names import Role
from hub.sandbox import SandboxPlatform


@pytest.fixture
def platform() -> SandboxPlatform:
    return SandboxPlatform("Cpo", [(Role.CPO, "NL", "CPA")])


@pytest.mark.parametrize("turns", range(6))
async def test_connections_that_arrive_while_it_goes_dark_are_ended(platform: SandboxPlatform, turns: int) -> None:
    async with platform:
        with warnings.catch_warnings(record=True) as seen, socket.socket() as late:
            warnings.simplefilter("always")
            late.setblocking(False)
            await asyncio.get_running_loop().sock_connect(late, ("127.0.0.1", platform.port))
            for _ in range(turns):
                await asyncio.sleep(0)
            await platform.go_dark()
            async with asyncio.timeout(5):
                with contextlib.suppress(ConnectionResetError):
                    assert await asyncio.get_running_loop().sock_recv(late, 1) == b""
            gc.collect()
        assert [str(one.message) for one in seen] == []
        assert platform.open_connections == 0


async def test_it_comes_back_on_its_port(platform: SandboxPlatform) -> None:
    async with platform:
        port = platform.port
        for _ in range(3):
            await platform.go_dark()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)
            await platform.come_back()
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            await writer.wait_closed()
        assert platform.port == port
