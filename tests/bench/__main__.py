"""`python -m tests.bench`: what a message costs in the hub, and what a hanging receiver costs its neighbours."""

import logging
import sys

import click
import structlog
from rich.console import Console

from tests.bench.cost import GOAL, cost
from tests.bench.isolation import MOST_DIFFERENCE_S, MOST_RATIO, isolation


@click.command()
@click.option("--rounds", default=7, show_default=True, help="Interleaved rounds.")
@click.option("--count", default=3000, show_default=True, help="Messages per round, method and variant.")
@click.option("--connections", default=16, show_default=True, help="Connections that send at once.")
@click.option("--uvloop", is_flag=True, help="Run the hub on uvloop (needs the extra `speed`).")
@click.option("--only", type=click.Choice(["cost", "isolation"]), help="Just one of the two.")
def main(rounds: int, count: int, connections: int, uvloop: bool, only: str | None) -> None:
    """Drives direct GET and PUT through the hub and through a plain aiohttp reverse proxy, and compares."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    console = Console(width=max(100, Console().width))
    kept = True
    if only in (None, "cost"):
        cheap = cost(console, rounds, count, connections, uvloop=uvloop)
        console.print(f"hub at most {GOAL:.1f} times the plain proxy: {'yes' if cheap else 'NO'}\n")
        kept = kept and cheap
    if only in (None, "isolation"):
        apart = isolation(console, rounds, 1000, 4)
        limit = f"{MOST_RATIO} times, or {MOST_DIFFERENCE_S * 1000:.0f} ms more"
        console.print(f"healthy pair's p95 at most {limit}: {'yes' if apart else 'NO'}")
        kept = kept and apart
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
