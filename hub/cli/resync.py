"""`ocpi-hub platform resync`: pulls now, and the wait for them."""

import asyncio
import sys
import time
from datetime import datetime
from typing import Any
from urllib.parse import quote

import click

from hub.cli.calls import ask, platform_id
from hub.cli.options import HubAddress, hub_options, json_option, wanted_argument
from hub.cli.progress import PullProgress, Row, name_of
from hub.cli.screen import console, note, printable, show_json, show_table
from hub.web.admin import AdminClient, Problem

POLL_S = 0.5
WAIT_S = 600.0


@click.command()
@wanted_argument
@click.option("--no-wait", is_flag=True, help="Ask for it, and leave it to the hub.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.0, min_open=True),
    default=WAIT_S,
    show_default=True,
    help="Seconds to wait at most.",
)
@json_option
@hub_options
def resync(hub: HubAddress, wanted: str, *, no_wait: bool, timeout_s: float, as_json: bool) -> None:
    """Pull everything anew from a platform, now; exit code 1 if a pull failed or did not end in time."""

    async def work(client: AdminClient) -> Any:
        found = await platform_id(client, wanted)
        if isinstance(found, Problem):
            return found
        asked = await client.post(f"/platforms/{quote(found, safe='')}/resync")
        if no_wait or isinstance(asked, Problem):
            return asked
        return await _waited(client, found, asked, timeout_s, quietly=as_json)

    found = ask(hub, work)
    rows: list[Row] = found["items"]
    if as_json:
        show_json(rows)
    elif no_wait:
        show_table(("PARTY", "MODULE", "STATUS", "NEXT", ""), [_line(row) for row in rows])
    if no_wait:
        return
    late = [row for row in rows if not _is_over(row, found["asked_at"])]
    if late:
        why = next((f" ({row['problem']})" for row in late if row["problem"]), "")
        names = ", ".join(name_of(row) for row in late[:5])
        note(printable(f"Not over within {timeout_s:g} s: {names}{why}. The hub goes on with it."))
    if late or any(row["status"] == "FAILED" for row in rows):
        sys.exit(1)


async def _waited(client: AdminClient, platform: str, asked: Row, timeout_s: float, *, quietly: bool) -> Any:
    """The rows of what was asked for, once all of it is over or the time is."""
    deadline = time.monotonic() + timeout_s
    rows: list[Row] = asked["items"]
    with PullProgress(console(quiet=quietly)) as progress:
        while True:
            progress.show(rows)
            if all(_is_over(row, asked["asked_at"]) for row in rows) or time.monotonic() >= deadline:
                return {"asked_at": asked["asked_at"], "items": rows}
            await asyncio.sleep(min(POLL_S, max(0.0, deadline - time.monotonic())))
            now = await client.list("/pulls", {"platform_id": platform})
            if isinstance(now, Problem):
                return now
            # One that was switched off meanwhile is not waited for.
            standing = {name_of(row): row for row in now}
            rows = [standing[name_of(row)] for row in rows if name_of(row) in standing]


def _is_over(row: Row, asked_at: str) -> bool:
    """Whether a pull has started since it was asked for, and ended."""
    started_at = row["started_at"]
    return (
        row["status"] in ("DONE", "FAILED")
        and started_at is not None
        and datetime.fromisoformat(started_at) >= datetime.fromisoformat(asked_at)
    )


def _line(row: Row) -> tuple[object, ...]:
    party = f"{row['country_code']}/{row['party_id']}"
    return party, row["module"], row["status"], row["next_at"], row["problem"]
