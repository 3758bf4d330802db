"""Options that many commands share: the settings file, the hub to talk to, roles."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from hub.cli.secrets import admin_token, kept_file
from hub.ocpi.names import Role as RoleWord
from hub.ocpi.party_id import well_formed
from hub.settings import ENV_PREFIX, Settings, load

Command = Callable[..., None]
Role = dict[str, str]
ANY = "*"

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file with settings; environment variables win over it.",
)
wanted_argument = click.argument("wanted", metavar="PLATFORM")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


def settings_from(config: Path | None) -> Settings:
    """The settings a command works with. SettingsError names what is wrong."""
    return load(config, os.environ)


@dataclass(frozen=True, slots=True)
class HubAddress:
    """The running hub that a command talks to."""

    url: str
    token: str = field(repr=False)
    ca_file: Path | None


def hub_options(command: Command) -> Command:
    """Adds `--config` and `--url`, and gives the command a `HubAddress` as its first argument."""

    @config_option
    @click.option("--url", help="Where the hub is; PUBLIC_URL of the settings if not given.")
    @functools.wraps(command)
    def with_address(*args: Any, config: Path | None, url: str | None, **options: Any) -> None:
        settings = settings_from(config)
        token = admin_token(settings)
        if token is None:
            raise click.ClickException(
                f"there is no admin token: set {ENV_PREFIX}ADMIN_TOKEN to that of the hub, or start the hub once: "
                f"it keeps one in {kept_file(settings, 'admin_token')}"
            )
        command(HubAddress(url or settings.public_url, token, settings.ca_file), *args, **options)

    return with_address


def role_from(text: str) -> Role:
    """`CPO:NL:ABC` as the admin API wants it. BadParameter says which part is wrong."""
    parts = [part.strip() for part in text.split(":")]
    if len(parts) != 3:
        raise click.BadParameter(f"{text!r} is not a role like CPO:NL:ABC")
    role, country_code, party_id = (part.upper() for part in parts)
    if role not in tuple(RoleWord):
        raise click.BadParameter(f"{parts[0]!r} in {text!r} is no role; a role is one of {', '.join(RoleWord)}")
    if not well_formed(country_code, party_id):
        raise click.BadParameter(
            f"{text!r} names no party: a country code has two letters, a party id one to three letters or digits"
        )
    return {"role": role, "country_code": country_code, "party_id": party_id}


def role_option(*, required: bool = False) -> Callable[[Command], Command]:
    """`--role`, as often as needed."""
    return click.option(
        "--role",
        "roles",
        multiple=True,
        required=required,
        callback=lambda _context, _option, texts: [role_from(text) for text in texts],
        metavar="ROLE:CC:PARTY",
        help="A role such as CPO:NL:ABC; repeat it for more.",
    )


def side_from(text: str) -> Role:
    """One side of an agreement as the admin API wants it: `role=CPO,country_code=NL`, or `CPO:NL:*`, or `any`."""
    members = dict.fromkeys(("role", "country_code", "party_id"), ANY)
    if "=" in text:
        for part in text.split(","):
            name, _, value = (piece.strip() for piece in part.partition("="))
            if name not in members or not value:
                raise click.BadParameter(f"{part!r} is not like {', '.join(f'{known}=...' for known in members)}")
            members[name] = value.upper()
    elif text.strip().upper() not in ("ANY", ANY):
        parts = [part.strip().upper() for part in text.split(":")]
        if len(parts) != 3:
            raise click.BadParameter(f"{text!r} is no side: write role=CPO,country_code=NL, or CPO:NL:*, or any")
        members = dict(zip(members, parts, strict=True))
    named = ("CPO", "NL", "ABC")
    role_from(":".join(name if part == ANY else part for part, name in zip(members.values(), named, strict=True)))
    return members


def party_from(text: str) -> Role:
    """A party, `NL/ABC` or in one role `CPO:NL:ABC`, as the admin API wants it."""
    text = text.replace("/", ":")
    if text.count(":") == 2:
        return role_from(text)
    named = role_from(f"CPO:{text}")
    return {"country_code": named["country_code"], "party_id": named["party_id"]}
