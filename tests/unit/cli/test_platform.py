"""`ocpi-hub platform`, `party` and `alarms` against a hub in a process of its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.ocpi.names import Role
from tests.unit.cli.conftest import BesidePlatform, Cli, environment

Beside = Callable[..., BesidePlatform]


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test of the module uses."""
    return str(request.node.name)[:90]


def registered(cli: Cli, beside: Beside, name: str, *roles: tuple[Role, str, str]) -> BesidePlatform:
    invited = cli.json("platform", "invite", name)
    made = beside(name, *roles)
    handshake = made.run(made.platform.register, invited["versions_url"], invited["registration_token"])
    assert handshake.ok, handshake.problem
    return made


def test_inviting_shows_the_token_once(cli: Cli, name: str) -> None:
    result = cli.run("platform", "invite", name, "--role", "cpo:nl:inv", "--role", "EMSP:NL:INV")

    assert result.exit_code == 0
    shown = cli.json("platform", "show", name)
    assert shown["id"] in result.stdout
    assert "/ocpi/versions" in result.stdout
    assert "once" in result.stderr
    assert [(role["role"], role["party_id"], role["status"]) for role in shown["roles"]] == [
        ("CPO", "INV", "PLANNED"),
        ("EMSP", "INV", "PLANNED"),
    ]
    token = next(line.split()[-1] for line in result.stdout.splitlines() if "registration token" in line)
    assert 32 <= len(token) <= 64
    assert token not in cli.done("platform", "show", name) + cli.done("platform", "list")


def test_what_the_hub_refuses_is_told_in_its_words(cli: Cli, name: str) -> None:
    cli.done("platform", "invite", name, "--role", "CPO:NL:TAK")

    told = cli.refused("platform", "invite", "Other", "--role", "CPO:NL:TAK")

    assert told.startswith("Error: CPO NL/TAK belongs to platform ")


def test_lists_are_tables_or_json(cli: Cli, name: str) -> None:
    invited = cli.json("platform", "invite", name, "--role", "NSP:NL:LST")

    table = cli.done("platform", "list")
    rows = cli.json("platform", "list")

    line = next(line for line in table.splitlines() if invited["id"] in line)
    assert line.split() == [invited["id"], name, "PLANNED", "NSP:NL:LST"]
    assert invited["id"] in [row["id"] for row in rows]
    assert "NSP" in cli.done("party", "list")
    assert ("NSP", "LST", "PLANNED") in [
        (row["role"], row["party_id"], row["status"]) for row in cli.json("party", "list")
    ]


def test_a_platform_is_found_by_id_or_by_name(cli: Cli, name: str) -> None:
    first = cli.json("platform", "invite", name)

    assert cli.json("platform", "show", first["id"])["name"] == name
    assert cli.json("platform", "show", name)["id"] == first["id"]
    cli.done("platform", "invite", name)
    assert "use an id" in cli.refused("platform", "show", name)
    assert cli.json("platform", "show", first["id"])["id"] == first["id"]
    assert "there is no platform" in cli.refused("platform", "show", "nobody / else")


def test_connecting_makes_the_platform_and_registers_at_it(cli: Cli, beside: Beside, name: str) -> None:
    made = beside(name, (Role.CPO, "NL", "CON"))
    token = made.platform.issue_token()

    output = cli.done("platform", "connect", name, made.platform.versions_url, token, "--role", "CPO:NL:CON")

    assert "CONNECTED" in output
    assert token not in output
    assert made.platform.counterpart is not None
    again = cli.refused("platform", "connect", name, made.platform.versions_url, token)
    assert "registered already" in again


def test_a_connection_that_fails_leaves_nothing_behind(cli: Cli, beside: Beside, name: str) -> None:
    made = beside(name, (Role.CPO, "NL", "FAI"))

    told = cli.refused("platform", "connect", name, made.platform.versions_url, "not-issued")

    assert "failed at this step" in told
    assert "401" in told
    assert "there is no platform" in cli.refused("platform", "show", name)


def test_a_platform_known_here_stays_when_connecting_fails(cli: Cli, beside: Beside, name: str) -> None:
    made = beside(name, (Role.CPO, "NL", "KNO"))
    invited = cli.json("platform", "invite", name)

    cli.refused("platform", "connect", name, made.platform.versions_url, "not-issued", "--role", "CPO:NL:KNO")

    shown = cli.json("platform", "show", name)
    assert shown["id"] == invited["id"]
    assert [role["party_id"] for role in shown["approved_roles"]] == ["KNO"]


def test_the_life_of_a_platform(cli: Cli, beside: Beside, name: str) -> None:
    made = registered(cli, beside, name, (Role.CPO, "NL", "LIF"))

    shown = [line.split() for line in cli.done("platform", "show", name).splitlines()]
    assert ["CPO", "NL", "LIF"] in [words[:3] for words in shown]
    assert ["locations", "SENDER"] in [words[:2] for words in shown]
    assert cli.done("platform", "suspend", name).split()[-1] == "SUSPENDED"
    assert cli.done("platform", "resume", name).split()[-1] == "CONNECTED"
    assert made.platform.counterpart is not None
    before = made.platform.counterpart.token
    assert cli.done("platform", "rotate", name).split()[-1] == "CONNECTED"
    assert made.platform.counterpart.token != before
    assert "EMSP:NL:LIF" in cli.done("platform", "approve", name, "--role", "EMSP:NL:LIF")
    assert cli.json("platform", "reinvite", name)["registration_token"]
    assert cli.done("party", "suspend", "CPO:NL:LIF").split() == ["CPO", "NL/LIF", "is", "SUSPENDED"]
    assert cli.done("party", "resume", "cpo:nl:lif").split() == ["CPO", "NL/LIF", "is", "CONNECTED"]
    assert "was told" in cli.done("platform", "remove", name)
    assert made.platform.counterpart is None
    assert "there is no platform" in cli.refused("platform", "show", name)


def test_the_self_test_says_by_its_exit_code_whether_a_line_failed(cli: Cli, beside: Beside, name: str) -> None:
    made = registered(cli, beside, name, (Role.EMSP, "NL", "SEL"))

    table = cli.done("platform", "selftest", name)
    assert "wrong token" in table
    made.platform.habits.echo_ids = False
    failed = cli.run("platform", "selftest", name)
    as_json = cli.run("platform", "selftest", name, "--json")

    assert "FAILED" not in table
    assert (failed.exit_code, as_json.exit_code) == (1, 1)
    line = next(line for line in failed.stdout.splitlines() if "message ids" in line)
    assert line.split()[0] == "FAILED"
    assert '"ok": false' in as_json.stdout


def test_what_a_platform_calls_itself_cannot_steer_the_terminal(cli: Cli, beside: Beside, name: str) -> None:
    made = beside(name, (Role.CPO, "NL", "ESC"))
    made.platform.name = "\x1b[2J[red]evil[/red]\r"
    invited = cli.json("platform", "invite", name)
    assert made.run(made.platform.register, invited["versions_url"], invited["registration_token"]).ok

    shown = cli.done("platform", "show", name)

    assert "\N{REPLACEMENT CHARACTER}[2J[red]evil[/red]\N{REPLACEMENT CHARACTER}" in shown


def test_alarms(cli: Cli, beside: Beside, name: str) -> None:
    cli.done("platform", "invite", name, "--role", "CPO:NL:ALA")
    made = beside("Impostor", (Role.CPO, "NL", "ALA"))
    invited = cli.json("platform", "invite", f"{name} 2")
    made.run(made.platform.register, invited["versions_url"], invited["registration_token"])

    alarm = next(row for row in cli.json("alarms", "list") if row["subject"] == invited["id"])

    assert alarm["kind"] == "role_conflict"
    assert "is acknowledged" in cli.done("alarms", "acknowledge", alarm["id"])
    line = next(line for line in cli.done("alarms", "list").splitlines() if alarm["id"] in line)
    assert "acknowledged" in line
    assert "no such alarm" in cli.refused("alarms", "acknowledge", "a/b c")


def test_a_wrong_admin_token(hub_url: str, tmp_path: Path) -> None:
    cli = Cli(environment(tmp_path, ADMIN_TOKEN="some-other-admin-token"))

    assert "admin token" in cli.refused("platform", "list", "--url", hub_url)


def test_the_admin_token_is_found_in_the_data_folder(hub_url: str, cli: Cli, tmp_path: Path) -> None:
    kept = tmp_path / "admin.token"
    kept.write_text(f"{cli.env['OCPI_HUB_ADMIN_TOKEN']}\n", encoding="ascii")
    kept.chmod(0o600)
    without = Cli(environment(tmp_path, ADMIN_TOKEN="", SECRET_KEY=""))

    without.done("platform", "list", "--url", hub_url)
    kept.chmod(0o644)

    assert "chmod 600" in without.refused("platform", "list", "--url", hub_url)
    assert [path.name for path in tmp_path.iterdir()] == ["admin.token"]


def test_something_that_is_no_hub(cli: Cli, beside: Beside) -> None:
    made = beside("Not a hub", (Role.CPO, "NL", "XXX"))

    told = cli.refused("platform", "list", "--url", made.platform.base_url)

    assert told.startswith("Error: ")
    assert "\n" not in told
