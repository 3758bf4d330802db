"""`ocpi-hub platform`: what an operator does to platforms, through the admin API."""

import sys
from typing import Any

import click

from hub.cli.calls import ask, ask_platform, platform_path
from hub.cli.options import Command, HubAddress, Role, hub_options, json_option, role_option, wanted_argument
from hub.cli.platform_set import set_platform
from hub.cli.platform_view import roles_in_words, show_platform
from hub.cli.resync import resync
from hub.cli.screen import cell, console, mark, note, show_json, show_table
from hub.web.admin import AdminClient, Problem


@click.group()
def platform() -> None:
    """Platforms: invite, connect, look at, set, suspend, remove. PLATFORM is an id or a name."""


platform.add_command(set_platform)
platform.add_command(resync)


@platform.command()
@click.argument("name")
@role_option()
@json_option
@hub_options
def invite(hub: HubAddress, name: str, roles: list[Role], *, as_json: bool) -> None:
    """Invite a platform: it gets a registration token and starts the handshake itself."""
    _show_invitation(
        ask(hub, lambda client: client.post("/platforms", {"name": name, "roles": roles})), as_json=as_json
    )


@platform.command()
@wanted_argument
@json_option
@hub_options
def reinvite(hub: HubAddress, wanted: str, *, as_json: bool) -> None:
    """Give a platform a new registration token; an unused one stops working."""
    _show_invitation(ask_platform(hub, wanted, "POST", "/invite"), as_json=as_json)


@platform.command()
@click.argument("name")
@click.argument("versions_url")
@click.argument("token")
@role_option()
@hub_options
def connect(hub: HubAddress, name: str, versions_url: str, token: str, roles: list[Role]) -> None:
    """Register at a platform with the token it gave; NAME is a platform known here, else a new one."""

    async def work(client: AdminClient) -> Any:
        path = await platform_path(client, name)
        made = isinstance(path, Problem) and path.status == 404
        if made:
            invited = await client.post("/platforms", {"name": name, "roles": roles})
            path = invited if isinstance(invited, Problem) else f"/platforms/{invited['id']}"
        if isinstance(path, Problem):
            return path
        if roles and not made:
            approved = await client.post(f"{path}/approve", {"roles": roles})
            if isinstance(approved, Problem):
                return approved
        body = {"versions_url": versions_url, "registration_token": token}
        connected = await client.post(f"{path}/connect", body)
        if isinstance(connected, Problem) and made:
            await client.call("DELETE", path)  # what this command made only for the handshake
        return connected

    show_platform(ask(hub, work), as_json=False)


@platform.command("list")
@json_option
@hub_options
def listed(hub: HubAddress, *, as_json: bool) -> None:
    """Every platform, oldest first."""
    rows = ask(hub, lambda client: client.list("/platforms"))
    if as_json:
        show_json(rows)
        return
    show_table(
        ("ID", "NAME", "STATUS", "VERSION", "ROLES"),
        [(row["id"], row["name"], row["status"], row["version"], roles_in_words(row["roles"])) for row in rows],
    )


@platform.command()
@wanted_argument
@json_option
@hub_options
def show(hub: HubAddress, wanted: str, *, as_json: bool) -> None:
    """Everything about one platform."""
    show_platform(ask_platform(hub, wanted, "GET"), as_json=as_json)


@platform.command()
@wanted_argument
@role_option(required=True)
@hub_options
def approve(hub: HubAddress, wanted: str, roles: list[Role]) -> None:
    """Allow further roles of a platform."""
    show_platform(ask_platform(hub, wanted, "POST", "/approve", {"roles": roles}), as_json=False)


def _simple(step: str, about: str) -> None:
    """A command that is one call without anything to say."""

    def command(hub: HubAddress, wanted: str) -> None:
        row = ask_platform(hub, wanted, "POST", f"/{step}")
        console().print(cell(f"{row['name']} ({row['id']}) is"), cell(row["status"]))

    command.__doc__ = about
    decorated: Command = wanted_argument(hub_options(command))
    platform.command(step)(decorated)


_simple("suspend", "Suspend a platform: nothing is routed from or to it.")
_simple("resume", "End the suspension of a platform.")
_simple("rotate", "New credentials tokens both ways.")


@platform.command()
@wanted_argument
@json_option
@hub_options
def selftest(hub: HubAddress, wanted: str, *, as_json: bool) -> None:
    """Ask a platform for everything OCPI demands, without side effects; exit code 1 if a line failed."""
    result = ask_platform(hub, wanted, "POST", "/selftest")
    if as_json:
        show_json(result)
    else:
        rows = [(mark(check["ok"]), check["name"], check["detail"]) for check in result["checks"]]
        show_table(("", "CHECK", "FOUND"), rows)
    if not result["ok"]:
        sys.exit(1)


@platform.command()
@wanted_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
@hub_options
def remove(hub: HubAddress, wanted: str, *, yes: bool) -> None:
    """Remove a platform: its parties become free, and it is told once."""
    if not yes and sys.stdin.isatty():
        click.confirm(f"Remove platform {wanted}? Its registration and its parties are forgotten", abort=True)
    result = ask_platform(hub, wanted, "DELETE")
    told = "and was told" if result["told"] else f"and was not told: {result['detail']}"
    console().print(cell(f"{result['id']} is removed {told}"))


def _show_invitation(invited: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        show_json(invited)
        return
    show_table(
        ("", ""),
        [
            ("id", invited["id"]),
            ("name", invited["name"]),
            ("status", invited["status"]),
            ("registration token", invited["registration_token"]),
            ("versions URL", invited["versions_url"]),
        ],
    )
    note("The token is shown this once. Give it and the versions URL to the platform's operator.")
