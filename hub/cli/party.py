"""`ocpi-hub party`: parties in their roles, through the admin API."""

import click

from hub.cli.calls import ask
from hub.cli.options import HubAddress, Role, hub_options, json_option, role_from
from hub.cli.screen import cell, console, show_json, show_table

party_argument = click.argument(
    "party", metavar="ROLE:CC:PARTY", callback=lambda _context, _argument, text: role_from(text)
)


@click.group()
def party() -> None:
    """Parties: list, suspend, resume."""


@party.command("list")
@json_option
@hub_options
def listed(hub: HubAddress, *, as_json: bool) -> None:
    """Every party in every role, by country and party."""
    rows = ask(hub, lambda client: client.list("/parties"))
    if as_json:
        show_json(rows)
        return
    show_table(
        ("ROLE", "COUNTRY", "PARTY", "NAME", "STATUS", "PLATFORM", "VERSIONS"),
        [
            (
                row["role"],
                row["country_code"],
                row["party_id"],
                row["name"],
                row["status"],
                f"{row['platform_name']} ({row['platform_id']})",
                ", ".join(row["versions"]),
            )
            for row in rows
        ],
    )


@party.command()
@party_argument
@hub_options
def suspend(hub: HubAddress, party: Role) -> None:
    """Suspend one party in one role; its platform goes on."""
    _move(hub, party, "suspend")


@party.command()
@party_argument
@hub_options
def resume(hub: HubAddress, party: Role) -> None:
    """End the suspension of a party."""
    _move(hub, party, "resume")


def _move(hub: HubAddress, party: Role, step: str) -> None:
    path = f"/parties/{party['country_code']}/{party['party_id']}/{party['role']}/{step}"
    row = ask(hub, lambda client: client.post(path))
    console().print(cell(f"{row['role']} {row['country_code']}/{row['party_id']} is"), cell(row["status"]))
