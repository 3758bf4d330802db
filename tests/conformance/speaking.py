"""What scenario tests say and read: pushes to the hub, the routing headers of both directions, and who got a leg."""

from typing import Any

from hub.ocpi import codec, headers
from hub.ocpi.names import FUNCTIONAL_MODULES, Interface
from hub.sandbox import objects
from hub.sandbox.answer import Answer
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.received import Received
from hub.sandbox.world import World

HUB = "NL/HUB"


def said(answer: Answer) -> tuple[int, int | None]:
    """HTTP status and status code."""
    return answer.status, answer.status_code


def between(answer: Answer) -> tuple[str, str]:
    """TO and FROM of an answer."""
    found = answer.headers
    return (
        f"{found.get(headers.TO_COUNTRY)}/{found.get(headers.TO_PARTY)}",
        f"{found.get(headers.FROM_COUNTRY)}/{found.get(headers.FROM_PARTY)}",
    )


def route(leg: Received) -> tuple[str, str]:
    """TO and FROM of a request."""
    return str(leg.to), str(leg.sender)


async def push(
    platform: SandboxPlatform, module: str, owner: str, tail: str, body: Any, *, method: str = "PUT", **changes: Any
) -> Answer:
    """A push for everybody, FROM its owner; `tail` is what follows the owner in the path."""
    wanted: dict[str, Any] = {"to": HUB, "sender": owner} | changes
    return await platform.call(method, module, Interface.RECEIVER, f"{owner}/{tail}", body=body, **wanted)


def legs(world: World, method: str | None = None) -> dict[str, list[str]]:
    """Which parties got a request of a functional module, by platform; sorted, platforms without any left out."""
    found = {
        one.name: sorted(
            str(leg.to) for leg in one.received if leg.module in FUNCTIONAL_MODULES and method in (None, leg.method)
        )
        for one in world
    }
    return {name: parties for name, parties in found.items() if parties}


def as_written(value: objects.Object) -> bytes:
    """The object as some system writes it: with members nobody knows, numbers of many shapes, and blanks."""
    odd = b'{ "x_vendor" : {"n":1.50,"e":1E2,"big":12345678901234567890.10,"none":null,"text":"\\u20ac \\/"},\r\n\t"'
    return codec.dumps(value).replace(b'{"', odd, 1)
