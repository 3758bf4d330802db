"""`ocpi-hub sandbox`: one simulated party against any OCPI hub, or one simulated DSO against its load manager."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from hub.cli.screen import console
from hub.ocpi.party_id import PartyId, parse_party

if TYPE_CHECKING:
    from typing import Literal

    Player = Literal["cpo", "emsp", "dso"]

_DEFAULT_LIMIT_KW = 30.0


@click.command()
@click.argument("kind", type=click.Choice(["cpo", "emsp", "dso"]))
@click.option(
    "--hub",
    "hub_url",
    required=True,
    metavar="URL",
    help="The versions endpoint of the hub; for a DSO the base URL of its capacity provider interface.",
)
@click.option("--token", required=True, help="The registration token the hub's operator gave.")
@click.option("--party", metavar="CC/PARTY", help="Who to be, such as NL/ABC.")
@click.option("--group", metavar="ID", help="For a DSO: the grid group to send limits for.")
@click.option(
    "--limit-kw",
    type=click.FloatRange(min=0),
    default=_DEFAULT_LIMIT_KW,
    show_default=True,
    help="For a DSO: the limit of the group.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; any free one if not given.")
@click.option("--base-url", help="What the hub reaches it by, when that is not the address it listens on.")
def sandbox(
    *,
    kind: "Player",
    hub_url: str,
    token: str,
    party: str | None,
    group: str | None,
    limit_kw: float,
    host: str,
    port: int,
    base_url: str | None,
) -> None:
    """Play one CPO or eMSP: register, serve every module, show what comes in, push now and then. Or one DSO: register,
    shake hands, send heartbeats and limits over OSCP 2.0.
    """
    if kind == "dso":
        from hub.sandbox.dso import run as dso

        if party is not None:
            raise click.BadParameter("a DSO is no party", param_hint="--party")
        playing = dso.run(
            hub_url,
            token,
            group=group,
            limit_kw=Decimal(str(limit_kw)),
            host=host,
            port=port,
            base_url=base_url,
            console=console(),
        )
    else:
        from hub.sandbox.run import run

        if group is not None:
            raise click.BadParameter("a party has no grid group", param_hint="--group")
        played = _party(party)
        playing = run(kind, hub_url, token, party=played, host=host, port=port, base_url=base_url, console=console())
    sys.exit(asyncio.run(_until_stopped(playing)))


def _party(text: str | None) -> PartyId | None:
    played = None if text is None else parse_party(text)
    if text is not None and played is None:
        raise click.BadParameter(f"{text!r} is not a party like NL/ABC", param_hint="--party")
    return played


async def _until_stopped(play: Coroutine[Any, Any, int]) -> int:
    playing = asyncio.create_task(play)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        return await playing
    return 0
