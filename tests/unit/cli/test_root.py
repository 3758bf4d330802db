"""The command tree: help, version, exit codes, and the boundary at which every failure becomes a sentence."""

from pathlib import Path

import pytest

from hub import __version__
from hub.cli import checks
from tests.unit.cli.conftest import Cli, environment, program


@pytest.fixture
def alone(tmp_path: Path) -> Cli:
    """The command line without a hub."""
    return Cli(environment(tmp_path, PUBLIC_URL="http://127.0.0.1:1"))


def test_version(alone: Cli) -> None:
    assert alone.done("--version").strip() == f"ocpi-hub {__version__}"


@pytest.mark.parametrize(
    "command",
    [
        ("serve",),
        ("demo",),
        ("check",),
        *(
            ("platform", step)
            for step in (
                "invite",
                "connect",
                "list",
                "show",
                "approve",
                "suspend",
                "resume",
                "rotate",
                "reinvite",
                "selftest",
                "resync",
                "set",
                "remove",
            )
        ),
        *(("party", step) for step in ("list", "suspend", "resume", "move")),
        *(("agreement", step) for step in ("list", "set", "remove", "explain")),
        *(("plugins", step) for step in ("list", "order", "show", "enable", "disable", "reload", "config", "new")),
        *(("alarms", step) for step in ("list", "acknowledge")),
        ("keys", "rotate"),
        ("sandbox",),
    ],
)
def test_every_command_explains_itself(alone: Cli, command: tuple[str, ...]) -> None:
    assert "Usage: " in alone.done(*command, "--help")


@pytest.mark.parametrize(
    "arguments",
    [
        ("nothing",),
        ("serve", "--nothing"),
        ("platform", "invite"),
        ("platform", "approve", "x"),
        ("platform", "set", "x"),
        ("platform", "set", "x", "--pull", "locations"),
        ("platform", "set", "x", "--pull", "=900"),
        ("platform", "set", "x", "--pull", "locations=soon"),
        ("platform", "set", "x", "--page-limit", "many"),
        ("platform", "set", "x", "--reset", "name"),
        ("platform", "set", "x", "--reset", "pull", "--pull", "locations=900"),
        ("platform", "resync", "x", "--timeout", "0"),
        ("party", "move", "CPO:NL:ABC"),
        ("agreement", "set", "a1", "--from", "any", "--to", "any", "--module", "*"),
        *(
            ("agreement", "set", "a1", "--from", "any", "--to", side, "--module", "*", "--allow")
            for side in ("NL:ABC", "CEO:*:*", "CPO:NLD:*", "role=CEO", "country=NL", "role=", "role=CPO,*")
        ),
        ("agreement", "explain", "--from", "NL/ABC", "--module", "locations", "--interface", "BOTH"),
        ("agreement", "explain", "--from", "NL", "--module", "locations"),
        ("agreement", "explain", "--to", "NL/ABC", "--module", "locations"),
        ("sandbox", "hub", "--hub", "http://127.0.0.1:1", "--token", "x"),
        ("sandbox", "cpo", "--token", "x"),
    ],
)
def test_a_wrong_command_line_is_2(alone: Cli, arguments: tuple[str, ...]) -> None:
    assert "Usage: " in alone.refused(*arguments, code=2)


@pytest.mark.parametrize(
    ("role", "told"),
    [
        ("CPO", "not a role like CPO:NL:ABC"),
        ("CPO:NL", "not a role like CPO:NL:ABC"),
        ("CPO:NL:ABC:D", "not a role like CPO:NL:ABC"),
        ("CEO:NL:ABC", "'CEO'"),
        ("CPO:NLD:ABC", "two letters"),
        ("CPO:NL:ABCD", "three letters or digits"),
        ("CPO:NL:", "three letters or digits"),
    ],
)
def test_a_role_that_is_none_is_a_wrong_command_line(alone: Cli, role: str, told: str) -> None:
    assert told in alone.refused("platform", "invite", "X", "--role", role, code=2)
    assert told in alone.refused("party", "suspend", role, code=2)


def test_a_hub_that_is_not_there(alone: Cli) -> None:
    told = alone.refused("platform", "list")

    assert told == "Error: The hub at http://127.0.0.1:1 cannot be reached: Connection refused"


def test_no_admin_token_to_be_found(tmp_path: Path) -> None:
    cli = Cli(environment(tmp_path, ADMIN_TOKEN=""))

    told = cli.refused("platform", "list")

    assert "OCPI_HUB_ADMIN_TOKEN" in told
    assert str(tmp_path / "admin.token") in told
    assert list(tmp_path.iterdir()) == []


def test_a_bad_setting_is_named(tmp_path: Path) -> None:
    cli = Cli(environment(tmp_path, PORT="eighty"))

    for command in (("serve",), ("check",), ("platform", "list"), ("keys", "rotate")):
        assert cli.refused(*command) == (
            "Error: PORT (set by OCPI_HUB_PORT) must be a whole number from 0 to 65535, not 'eighty'"
        )


def test_a_configuration_file_that_is_not_there(alone: Cli, tmp_path: Path) -> None:
    assert "cannot be read" in alone.refused("check", "--config", str(tmp_path / "none.toml"))


def test_a_mistake_of_the_program_is_a_sentence_too(alone: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("token=abcdef1234567890 was inside")

    monkeypatch.setattr(checks, "defaults_warnings", broken)

    told = alone.refused("check")

    assert "ZeroDivisionError" in told
    assert "abcdef1234567890" not in told


def test_python_m_hub_is_the_same_program(tmp_path: Path) -> None:
    with program(environment(tmp_path), "--version") as started:
        assert started.wait() == 0
        assert started.stdout == [f"ocpi-hub {__version__}"]
