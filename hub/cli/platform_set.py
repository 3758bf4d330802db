"""`ocpi-hub platform set`: settings of one platform."""

from typing import Any

import click

from hub.cli.calls import ask_platform
from hub.cli.options import HubAddress, hub_options, json_option, wanted_argument
from hub.cli.platform_view import show_platform
from hub.ocpi.token import TokenEncoding

# What --reset takes; a name is not among them, because nobody is without one.
RESETTABLE = (
    "token_encoding",
    "endpoint_overrides",
    "response_url_hosts",
    "forward_timeout_s",
    "authorize_timeout_s",
    "client_certificate",
    "page_limit",
    "broadcast_as_direct",
    "pull",
)


def pull_from(text: str) -> tuple[str, float]:
    """`locations=900` as module and seconds."""
    module, found, seconds = text.partition("=")
    try:
        interval_s = float(seconds)
    except ValueError:
        found = ""
        interval_s = 0.0
    if not found or not module:
        raise click.BadParameter(f"{text!r} is not like locations=900, a module and seconds")
    return module.strip(), interval_s


@click.command("set")
@wanted_argument
@click.option("--name", help="What the platform is called here.")
@click.option("--page-limit", type=int, metavar="N", help="Objects on a page of the hub's lists, at most.")
@click.option(
    "--broadcast-as-direct/--broadcast-from-hub",
    default=None,
    help="Whether its broadcast legs come from the object's owner or from the hub.",
)
@click.option(
    "--pull",
    "pulls",
    multiple=True,
    metavar="MODULE=SECONDS",
    callback=lambda _context, _option, texts: [pull_from(text) for text in texts],
    help="Pull a module (locations, tariffs, tokens) from its parties so often; repeat it for more. Others are off.",
)
@click.option("--forward-timeout", type=float, metavar="SECONDS", help="It has so long to answer a request.")
@click.option("--authorize-timeout", type=float, metavar="SECONDS", help="It has so long to authorize a token.")
@click.option(
    "--token-encoding", type=click.Choice([one.value for one in TokenEncoding]), help="How the hub writes its token."
)
@click.option(
    "--reset",
    "resets",
    multiple=True,
    type=click.Choice(RESETTABLE),
    help="Back to the hub's own setting; repeat it for more.",
)
@json_option
@hub_options
def set_platform(
    hub: HubAddress,
    wanted: str,
    pulls: list[tuple[str, float]],
    resets: tuple[str, ...],
    *,
    as_json: bool,
    **given: Any,
) -> None:
    """Change settings of a platform; what is not named stays."""
    given["forward_timeout_s"] = given.pop("forward_timeout")
    given["authorize_timeout_s"] = given.pop("authorize_timeout")
    change = {name: value for name, value in given.items() if value is not None}
    if pulls:
        change["pull"] = dict(pulls)
    both = [name for name in resets if name in change]
    if both:
        raise click.UsageError(f"{both[0]} is set and reset at the same time")
    change |= dict.fromkeys(resets)
    if not change:
        raise click.UsageError("Nothing to set: name at least one setting")
    show_platform(ask_platform(hub, wanted, "PATCH", "", change), as_json=as_json)
