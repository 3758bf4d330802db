"""`ocpi-hub party`: parties in their roles, through the admin API."""

from typing import Any

import click

from hub.cli.calls import ask, platform_id
from hub.cli.options import HubAddress, Role, hub_options, json_option, role_from, wanted_argument
from hub.cli.screen import cell, console, show_json, show_table
from hub.web.admin import AdminClient, Problem

party_argument = click.argument(
    "party", metavar="ROLE:CC:PARTY", callback=lambda _context, _argument, text: role_from(text)
)


@click.group()
def party() -> None:
    """Parties: list, suspend, resume, move."""


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
        ("ROLE", "COUNTRY", "PARTY", "NAME", "STATUS", "PLATFORM", "VERSIONS", ""),
        [
            (
                row["role"],
                row["country_code"],
                row["party_id"],
                row["name"],
                row["status"],
                f"{row['platform_name']} ({row['platform_id']})",
                ", ".join(row["versions"]),
                "missed broadcasts" if row["behind"] else "",
            )
            for row in rows
        ],
    )


@party.command()
@party_argument
@hub_options
def suspend(hub: HubAddress, party: Role) -> None:
    """Suspend one party in one role; its platform goes on."""
    _step(hub, party, "suspend")


@party.command()
@party_argument
@hub_options
def resume(hub: HubAddress, party: Role) -> None:
    """End the suspension of a party."""
    _step(hub, party, "resume")


@party.command()
@party_argument
@wanted_argument
@hub_options
def move(hub: HubAddress, party: Role, wanted: str) -> None:
    """Give a party to another registered platform; its objects and agreements stay its own."""

    async def work(client: AdminClient) -> Any:
        found = await platform_id(client, wanted)
        if isinstance(found, Problem):
            return found
        return await client.post(f"{_path(party)}/move", {"platform_id": found})

    row = ask(hub, work)
    where = f"{_named(row)} is on platform {row['platform_name']} ({row['platform_id']}) now:"
    console().print(cell(where), cell(row["status"]))


def _step(hub: HubAddress, party: Role, step: str) -> None:
    row = ask(hub, lambda client: client.post(f"{_path(party)}/{step}"))
    console().print(cell(f"{_named(row)} is"), cell(row["status"]))


def _path(party: Role) -> str:
    return f"/parties/{party['country_code']}/{party['party_id']}/{party['role']}"


def _named(row: dict[str, Any]) -> str:
    return f"{row['role']} {row['country_code']}/{row['party_id']}"
