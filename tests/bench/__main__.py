"""`python -m tests.bench`: what a message costs in the hub, and what a hanging receiver costs its neighbours."""

import sys

import click
from rich.console import Console

from tests.bench.cost import GOAL, cost


@click.command()
@click.option("--rounds", default=7, show_default=True, help="Interleaved rounds.")
@click.option("--count", default=3000, show_default=True, help="Messages per round, method and variant.")
@click.option("--connections", default=16, show_default=True, help="Connections that send at once.")
@click.option("--uvloop", is_flag=True, help="Run the hub on uvloop (needs the extra `speed`).")
def main(rounds: int, count: int, connections: int, uvloop: bool) -> None:
    """Drives direct GET and PUT through the hub and through a plain aiohttp reverse proxy, and compares."""
    console = Console()
    kept = cost(console, rounds, count, connections, uvloop=uvloop)
    console.print(f"hub at most {GOAL:.1f} times the plain proxy: {'yes' if kept else 'NO'}")
    sys.exit(0 if kept else 1)


if __name__ == "__main__":
    main()
