"""`ocpi-hub alarms`: what an operator must know, through the admin API."""

from urllib.parse import quote

import click

from hub.cli.calls import ask
from hub.cli.options import HubAddress, hub_options, json_option
from hub.cli.screen import cell, console, show_json, show_table


@click.group()
def alarms() -> None:
    """Alarms: list, acknowledge."""


@alarms.command("list")
@json_option
@hub_options
def listed(hub: HubAddress, *, as_json: bool) -> None:
    """Every alarm, newest first."""
    rows = ask(hub, lambda client: client.list("/alarms"))
    if as_json:
        show_json(rows)
        return
    show_table(
        ("ID", "LAST", "COUNT", "KIND", "SUBJECT", "STATE", "TEXT"),
        [
            (
                row["id"],
                row["last_at"],
                row["count"],
                row["kind"],
                row["subject"],
                " ".join(word for word in ("standing", "acknowledged") if row[word]),
                row["text"],
            )
            for row in rows
        ],
    )


@alarms.command()
@click.argument("alarm_id", metavar="ID")
@hub_options
def acknowledge(hub: HubAddress, alarm_id: str) -> None:
    """Mark an alarm as seen; it counts as new when it sounds again."""
    row = ask(hub, lambda client: client.post(f"/alarms/{quote(alarm_id, safe='')}/acknowledge"))
    console().print(cell(f"{row['kind']} of {row['subject']} is acknowledged"))
