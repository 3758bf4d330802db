"""Calls to the admin API of a running hub; what it refuses ends the command with the hub's own sentence."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import click

from hub.cli.options import HubAddress
from hub.cli.screen import printable
from hub.web.admin import AdminClient, Problem

Work = Callable[[AdminClient], Awaitable[Any]]


def ask(hub: HubAddress, work: Work) -> Any:
    """Runs `work` with a client and returns what it returns; a Problem becomes the error of the command."""

    async def run() -> Any:
        async with AdminClient(hub.url, hub.token, ca_file=hub.ca_file) as client:
            return await work(client)

    result = asyncio.run(run())
    if isinstance(result, Problem):
        raise click.ClickException(printable(str(result)))  # it may quote what a platform answered
    return result


async def platform_id(client: AdminClient, wanted: str) -> str | Problem:
    """The id of the platform with this id, or else with this name if only one has it."""
    platforms = await client.list("/platforms")
    if isinstance(platforms, Problem):
        return platforms
    found = [row["id"] for row in platforms if row["id"] == wanted] or [
        row["id"] for row in platforms if row["name"] == wanted
    ]
    if len(found) == 1:
        return str(found[0])
    if not found:
        return Problem(404, f"there is no platform {wanted!r}; `ocpi-hub platform list` shows what there is")
    return Problem(409, f"{len(found)} platforms are called {wanted!r}; use an id: {', '.join(found)}")


async def platform_path(client: AdminClient, wanted: str) -> str | Problem:
    """The path of that platform."""
    found = await platform_id(client, wanted)
    return found if isinstance(found, Problem) else f"/platforms/{quote(found, safe='')}"


def ask_platform(hub: HubAddress, wanted: str, method: str, step: str = "", body: object = None) -> Any:
    """One call about one platform, named by id or name."""

    async def work(client: AdminClient) -> Any:
        path = await platform_path(client, wanted)
        return path if isinstance(path, Problem) else await client.call(method, f"{path}{step}", body)

    return ask(hub, work)
