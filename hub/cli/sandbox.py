"""`ocpi-hub sandbox`: one simulated party against any OCPI hub."""

import asyncio
import contextlib
import signal
import sys
from typing import TYPE_CHECKING

import click

from hub.cli.screen import console
from hub.ocpi.party_id import parse_party

if TYPE_CHECKING:
    from hub.sandbox.run import Kind


@click.command()
@click.argument("kind", type=click.Choice(["cpo", "emsp"]))
@click.option("--hub", "versions_url", required=True, metavar="VERSIONS_URL", help="The versions endpoint of the hub.")
@click.option("--token", required=True, help="The registration token the hub's operator gave.")
@click.option("--party", metavar="CC/PARTY", help="Who to be, such as NL/ABC.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on; any free one if not given.")
@click.option("--base-url", help="What the hub reaches it by, when that is not the address it listens on.")
def sandbox(
    *, kind: "Kind", versions_url: str, token: str, party: str | None, host: str, port: int, base_url: str | None
) -> None:
    """Play one CPO or eMSP: register, serve every module, show what comes in, push now and then."""
    from hub.sandbox.run import run

    played = None if party is None else parse_party(party)
    if party is not None and played is None:
        raise click.BadParameter(f"{party!r} is not a party like NL/ABC", param_hint="--party")

    async def until_stopped() -> int:
        playing = asyncio.create_task(
            run(kind, versions_url, token, party=played, host=host, port=port, base_url=base_url, console=console())
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, playing.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            return await playing
        return 0

    sys.exit(asyncio.run(until_stopped()))
