"""One request being answered on its connection: the door through which faults reach the bytes on the wire."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from hub.sandbox.habits import Habits
from hub.sandbox.received import Received
from hub.sandbox.reply import Reply, complete

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Exchange:
    """A request and its connection. Whoever writes raw bytes also closes or resets the connection."""

    def __init__(
        self,
        request: web.BaseRequest,
        received: Received,
        habits: Habits,
        behave: Callable[[Received], Awaitable[Reply]],
    ) -> None:
        self.received = received
        self._request = request
        self._habits = habits
        self._behave = behave

    async def reply(self) -> Reply:
        """What the platform answers when nothing goes wrong, complete with its headers."""
        return self.complete(await self._behave(self.received))

    def complete(self, reply: Reply) -> Reply:
        return complete(reply, self.received, self._habits)

    def write(self, content: bytes) -> None:
        """Raw bytes. Nothing happens when the client has gone."""
        transport = self._request.transport
        if transport is not None and content and not transport.is_closing():
            transport.write(content)

    def close(self) -> None:
        """Ends the connection properly, after what was written."""
        transport = self._request.transport
        if transport is not None:
            transport.close()

    def reset(self) -> None:
        """Ends the connection with a TCP reset."""
        transport = self._request.transport
        if transport is not None:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()

    async def gone(self) -> None:
        """Never returns: the server cancels an exchange whose connection is lost."""
        await asyncio.Event().wait()
