"""`ocpi-hub platform set` and `party move` against a hub in a process of its own."""

from collections.abc import Callable

from hub.ocpi.names import Role
from tests.unit.cli.conftest import BesidePlatform, Cli

Beside = Callable[..., BesidePlatform]


def registered(cli: Cli, beside: Beside, name: str, *roles: tuple[Role, str, str]) -> str:
    invited = cli.json("platform", "invite", name)
    made = beside(name, *roles)
    assert made.run(made.platform.register, invited["versions_url"], invited["registration_token"]).ok
    return str(invited["id"])


def test_settings_are_set_shown_and_reset_one_by_one(cli: Cli) -> None:
    cli.done("platform", "invite", "Set")

    everything = cli.json(
        *("platform", "set", "Set", "--name", "Set anew", "--page-limit", "20", "--broadcast-as-direct"),
        *("--pull", "locations=900", "--pull", "tokens=3600.5", "--forward-timeout", "12.5"),
        *("--authorize-timeout", "3", "--token-encoding", "plain"),
    )
    shown = cli.done("platform", "show", "Set anew")
    some = cli.json("platform", "set", "Set anew", "--pull", "tariffs=60", "--broadcast-from-hub")
    reset = cli.json(
        *("platform", "set", "Set anew", "--reset", "pull", "--reset", "page_limit", "--reset", "token_encoding")
    )

    settings = everything["settings"]
    assert everything["name"] == "Set anew"
    assert (settings["page_limit"], settings["broadcast_as_direct"]) == (20, True)
    assert settings["pull"] == {"locations": 900, "tokens": 3600.5}
    assert (settings["forward_timeout_s"], settings["authorize_timeout_s"]) == (12.5, 3)
    assert settings["token_encoding"] == "plain"
    line = next(line for line in shown.splitlines() if line.startswith("settings"))
    assert "page_limit 20; broadcast_as_direct yes; pull locations=900" in line
    assert (some["settings"]["pull"], some["settings"]["broadcast_as_direct"]) == ({"tariffs": 60}, False)
    assert some["settings"]["page_limit"] == 20
    gone = reset["settings"]
    assert (gone["pull"], gone["page_limit"], gone["token_encoding"]) == ({}, None, None)
    assert gone["forward_timeout_s"] == 12.5


def test_a_setting_that_cannot_be_used_is_told_in_the_hubs_words(cli: Cli) -> None:
    cli.done("platform", "invite", "Bad")

    assert "/page_limit" in cli.refused("platform", "set", "Bad", "--page-limit", "0")
    assert "What can be pulled is one of" in cli.refused("platform", "set", "Bad", "--pull", "cdrs=900")
    assert "there is no platform" in cli.refused("platform", "set", "Nobody", "--page-limit", "5")


def test_a_party_moves(cli: Cli, beside: Beside) -> None:
    registered(cli, beside, "Giver", (Role.CPO, "NL", "MOV"))
    taker = registered(cli, beside, "Taker", (Role.CPO, "NL", "TKR"))

    moved = cli.done("party", "move", "cpo:nl:mov", "Taker")
    again = cli.refused("party", "move", "CPO:NL:MOV", taker)

    assert moved.strip() == f"CPO NL/MOV is on platform Taker ({taker}) now: CONNECTED"
    assert "already" in again
    assert [row["platform_id"] for row in cli.json("party", "list") if row["party_id"] == "MOV"] == [taker]
    assert "there is no platform" in cli.refused("party", "move", "CPO:NL:MOV", "Nobody")
