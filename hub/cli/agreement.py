"""`ocpi-hub agreement`: who may speak to whom about what, through the admin API."""

from collections.abc import Callable
from urllib.parse import quote

import click

from hub.cli.calls import ask
from hub.cli.options import ANY, HubAddress, Role, hub_options, json_option, party_from, side_from
from hub.cli.screen import cell, console, show_json, show_table
from hub.ocpi.names import CDRS, COMMANDS, Interface

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

Callback = Callable[[click.Context, click.Parameter, str | None], Role | None]


def _read(read: Callable[[str], Role]) -> Callback:
    return lambda _context, _parameter, text: None if text is None else read(text)


def _path(agreement_id: str) -> str:
    return f"/agreements/{quote(agreement_id, safe='')}"


@click.group()
def agreement() -> None:
    """Agreements: list, set, remove, explain. Of those that fit, the one that names most counts."""


@agreement.command("list")
@json_option
@hub_options
def listed(hub: HubAddress, *, as_json: bool) -> None:
    """Every agreement, by id."""
    rows = ask(hub, lambda client: client.list("/agreements"))
    if as_json:
        show_json(rows)
        return
    show_table(
        ("ID", "FROM", "TO", "MODULES", ""),
        [
            (
                row["id"],
                _side(row["from"]),
                _side(row["to"]),
                ", ".join(row["modules"]),
                "allowed" if row["allow"] else "forbidden",
            )
            for row in rows
        ],
    )


@agreement.command("set")
@click.argument("agreement_id", metavar="ID")
@click.option("--from", "origin", required=True, metavar="SIDE", callback=_read(side_from), help="Who starts it.")
@click.option("--to", "target", required=True, metavar="SIDE", callback=_read(side_from), help="With whom.")
@click.option("--module", "modules", required=True, multiple=True, help="About what; repeat it for more, or * for all.")
@click.option("--allow/--forbid", default=None, help="Whether they may; one of the two.")
@json_option
@hub_options
def put(
    hub: HubAddress,
    agreement_id: str,
    origin: Role | None,
    target: Role | None,
    modules: tuple[str, ...],
    *,
    allow: bool | None,
    as_json: bool,
) -> None:
    """Say who may, or may not, turn to whom about what.

    A SIDE is any of role, country_code and party_id, such as role=CPO,country_code=NL; or CPO:NL:* for short; or any.
    """
    if allow is None:
        raise click.UsageError("Say --allow or --forbid")
    body = {"from": origin, "to": target, "modules": list(modules), "allow": allow}
    row = ask(hub, lambda client: client.call("PUT", _path(agreement_id), body))
    if as_json:
        show_json(row)
    else:
        console().print(cell(f"{row['id']}: {row['sentence']}"))


@agreement.command()
@click.argument("agreement_id", metavar="ID")
@hub_options
def remove(hub: HubAddress, agreement_id: str) -> None:
    """End an agreement."""
    row = ask(hub, lambda client: client.call("DELETE", _path(agreement_id)))
    console().print(cell(f"{row['id']} is removed; it said: {row['sentence']}"))


@agreement.command()
@click.option("--from", "origin", required=True, metavar="PARTY", callback=_read(party_from), help="Who asks.")
@click.option("--to", "target", metavar="PARTY", callback=_read(party_from), help="OCPI-to, if it is set.")
@click.option("--module", required=True, help="What it is about.")
@click.option(
    "--interface",
    type=click.Choice([side.value for side in Interface], case_sensitive=False),
    default=Interface.RECEIVER.value,
    show_default=True,
    help="Of the endpoint that is called.",
)
@click.option(
    "--method",
    type=click.Choice(METHODS, case_sensitive=False),
    help="GET at a SENDER, else PUT or POST if not given.",
)
@json_option
@hub_options
def explain(
    hub: HubAddress,
    origin: Role,
    target: Role | None,
    *,
    module: str,
    interface: str,
    method: str | None,
    as_json: bool,
) -> None:
    """Would this request pass, and what would the hub do with it now? A PARTY is NL/ABC, or CPO:NL:ABC in one role."""
    usual = "GET" if interface == Interface.SENDER else "POST" if module in (CDRS, COMMANDS) else "PUT"
    body = {"from": origin, "to": target, "module": module, "interface": interface, "method": method or usual}
    found = ask(hub, lambda client: client.post("/agreements/explain", body))
    if as_json:
        show_json(found)
        return
    console().print(cell(found["sentence"]))
    would = found["would"]
    if would["parties"]:
        more = would["party_count"] - len(would["parties"])
        listed = ", ".join(would["parties"]) + (f" and {more} more" if more else "")
        console().print(cell(f"These are {listed}."))


def _side(side: Role) -> str:
    members = [side["role"], side["country_code"], side["party_id"]]
    return "any" if members == [ANY] * 3 else ":".join(members)
