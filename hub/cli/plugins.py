"""`ocpi-hub plugins`: what runs in a hub, in which order and how well, and what it is configured to, through the admin
API; and the skeleton of a new one.
"""

import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.text import Text

from hub.cli.calls import ask
from hub.cli.options import HubAddress, hub_options, json_option
from hub.cli.screen import cell, console, note, printable, show_json, show_table

COLOURS = {
    "RUNNING": "green",
    "LEAVING": "yellow",
    "TRIPPED": "red",
    "FAILED": "bold red",
    "BROKEN": "bold red",
    "OFF": "dim",
}

plugin_argument = click.argument("name", metavar="PLUGIN")


def _path(name: str) -> str:
    return f"/plugins/{quote(name, safe='')}"


@click.group()
def plugins() -> None:
    """Plugins: list, order, show, enable, disable, configure, reload, and write a new one."""


@plugins.command("list")
@json_option
@hub_options
def listed(hub: HubAddress, *, as_json: bool) -> None:
    """Every plugin: those that run, in order, then those that do not."""
    rows = ask(hub, lambda client: client.list("/plugins"))
    rows.sort(key=lambda row: (row["place"] is None, row["place"] or 0))
    if as_json:
        show_json(rows)
        return
    show_table(
        ("", "PLUGIN", "STATE", "TRIPS", "CALLS", "MEAN MS", "FAILURES", "HEALTH", "ORIGIN"),
        [
            (
                row["place"],
                row["name"],
                _state(row),
                row["trips"],
                calls := sum(hook["calls"] for hook in row["hooks"].values()),
                f"{sum(hook['calls'] * hook['mean_ms'] for hook in row['hooks'].values()) / max(calls, 1):.3f}",
                row["failures"],
                _how_it_is(row),
                row["origin"],
            )
            for row in rows
        ],
    )


@plugins.command()
@json_option
@hub_options
def order(hub: HubAddress, *, as_json: bool) -> None:
    """Who is asked in each phase of a message, in order."""
    found = ask(hub, lambda client: client.get("/plugins", {"limit": "1"}))["order"]
    if as_json:
        show_json(found)
        return
    show_table(("PHASE", "PLUGINS"), [(phase, ", ".join(names) or "-") for phase, names in found.items()])


@plugins.command()
@plugin_argument
@json_option
@hub_options
def show(hub: HubAddress, name: str, *, as_json: bool) -> None:
    """Everything about one plugin."""
    row = ask(hub, lambda client: client.get(_path(name)))
    if as_json:
        show_json(row)
    else:
        _show(row)


@plugins.command()
@plugin_argument
@hub_options
def enable(hub: HubAddress, name: str) -> None:
    """Let a plugin run, whatever the settings name."""
    _switch(hub, name, "enable")


@plugins.command()
@plugin_argument
@hub_options
def disable(hub: HubAddress, name: str) -> None:
    """Let a plugin run no more, whatever the settings name; it may take a minute to leave."""
    _switch(hub, name, "disable")


@plugins.command()
@hub_options
def reload(hub: HubAddress) -> None:
    """Take the settings of plugins over as they are now; one that has not changed just goes on."""
    names = ask(hub, lambda client: client.post("/plugins/reload"))["plugins"]
    console().print(cell(f"plugins run as the settings are now: {', '.join(names) or 'none'}"))


def _key_and_value(text: str) -> tuple[str, Any]:
    """`slow_s=2.5` as a key and what it is set to: a TOML value, or else a text."""
    key, found, value = text.partition("=")
    key, value = key.strip(), value.strip()
    if not key or not found:
        raise click.BadParameter(f"{text!r} is not like slow_s=2.5, a key and a value")
    try:
        read = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        return key, value
    return key, read["value"] if len(read) == 1 else value


@plugins.command()
@plugin_argument
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="KEY=VALUE",
    callback=lambda _context, _option, texts: [_key_and_value(text) for text in texts],
    help='A key and its value, as in TOML; a secret is {env = "NAME"} or {file = "/path"}. Repeat it for more.',
)
@click.option("--unset", "unset", multiple=True, metavar="KEY", help="Back to its default; repeat it for more.")
@click.option("--reset", is_flag=True, help="Back to what the settings say, as a whole.")
@json_option
@hub_options
def config(
    hub: HubAddress, name: str, changes: list[tuple[str, Any]], unset: tuple[str, ...], *, reset: bool, as_json: bool
) -> None:
    """Show a plugin's configuration, or change keys of it while it runs; other keys stay."""
    body = dict(changes)
    both = [key for key in unset if key in body]
    if both:
        raise click.UsageError(f"{both[0]} is set and unset at the same time")
    body |= dict.fromkeys(unset)
    if reset and body:
        raise click.UsageError("--reset takes everything back: use it alone")
    method = "DELETE" if reset else "PATCH" if body else "GET"
    shown = ask(hub, lambda client: client.call(method, f"{_path(name)}/config", body or None))
    if as_json:
        show_json(shown)
        return
    origins = dict.fromkeys(shown["values"], "") | dict.fromkeys(shown["given"], f"set by {_who(shown)}")
    rows = [(key, _in_words(shown["values"].get(key)), origin) for key, origin in origins.items()]
    show_table(("KEY", "VALUE", ""), rows)


def _who(shown: dict[str, Any]) -> str:
    return "an operator" if shown["set_by"] == "operator" else "the settings"


@plugins.command()
@click.argument("name")
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Where to write it; here if not given.",
)
def new(name: str, folder: Path) -> None:
    """Write the skeleton of a plugin: a distribution with one small plugin that runs as it is."""
    from hub.plugin.skeleton import write

    for path in write(name, folder):
        click.echo(str(path))
    note(f"its README.md says how it comes to run: {folder / name / 'README.md'}")


def _switch(hub: HubAddress, name: str, step: str) -> None:
    row = ask(hub, lambda client: client.post(f"{_path(name)}/{step}"))
    console().print(cell(f"{row['name']} is"), _state(row))


def _state(row: dict[str, Any]) -> Text:
    return Text(row["state"], style=COLOURS[row["state"]])


def _how_it_is(row: dict[str, Any]) -> Text:
    """The plugin's own words, or why it does not run."""
    health = row["health"]
    if row["why"] or health is None:
        return Text(_first_line(row["why"]))
    if not health["ok"]:
        return Text(_first_line(health["text"]) or "not well", style="red")
    return Text(_first_line(health["text"]))


def _first_line(text: str) -> str:
    return printable(text.partition("\n")[0])


def _show(row: dict[str, Any]) -> None:
    health, inbox = row["health"] or {"facts": {}}, row["inbox"]
    facts = [
        ("name", row["name"]),
        ("state", _state(row)),
        *(("why" if number == 0 else "", line) for number, line in enumerate(row["why"].splitlines())),
        ("origin", row["origin"]),
        ("api", row["api"]),
        ("health", "" if row["health"] is None else _how_it_is(row | {"why": ""})),
        *((f"  {name}", _in_words(value)) for name, value in health["facts"].items()),
        ("order", ", ".join(f"{phase} {place}" for phase, place in row["order"].items())),
        *(("watches", watch) for watch in row["watches"]),
        ("failures", f"{row['failures']}, {row['trips']} trips, {row['abandoned']} abandoned, {row['leaked']} leaked"),
        ("inbox", f"{inbox['waiting']} waiting, {inbox['dropped']} dropped, {inbox['gaps']} gaps"),
        *(("plays", f"{each['role']} {each['country_code']}/{each['party_id']}") for each in row["parties"]),
    ]
    show_table(("", ""), [fact for fact in facts if str(fact[1] or "")])
    if row["hooks"]:
        timings = ("calls", "mean_ms", "most_ms", "suspended", "failures")
        hooks = [
            (name, *(hook[timing] for timing in timings), _in_words(hook["verdicts"]))
            for name, hook in row["hooks"].items()
        ]
        headings = ("HOOK", "CALLS", "MEAN MS", "MOST MS", "SUSPENDED", "FAILURES", "VERDICTS")
        show_table(headings, hooks, title="\nHooks")
    if row["routes"]:
        routes = [tuple(route[part] for part in ("method", "path", "audience", "summary")) for route in row["routes"]]
        show_table(("METHOD", "PATH", "AUDIENCE", ""), routes, title="\nRoutes")


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={_in_words(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_in_words, value))
    if value is None or isinstance(value, bool):
        return "-" if value is None else "yes" if value else "no"
    return str(value)
