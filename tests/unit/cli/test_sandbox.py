"""`ocpi-hub sandbox`: one simulated party against a hub, as processes."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli, environment, program


@pytest.mark.parametrize(("kind", "role"), [("cpo", "CPO"), ("emsp", "EMSP")])
def test_a_party_registers_and_takes_its_leave(cli: Cli, tmp_path: Path, kind: str, role: str) -> None:
    invited = cli.json("platform", "invite", f"Sandbox {kind}")
    arguments = ("--hub", invited["versions_url"], "--token", invited["registration_token"], "--party", "NL/SBX")

    with program(environment(tmp_path), "sandbox", kind, *arguments) as party:
        party.until("registered")
        shown = cli.json("platform", "show", invited["id"])
        assert (shown["status"], shown["roles"][0]["role"]) == ("CONNECTED", role)

        assert party.end() == 0

    assert cli.json("platform", "show", invited["id"])["status"] == "SUSPENDED"


def test_a_token_that_nobody_issued(cli: Cli, hub_url: str) -> None:
    result = cli.run("sandbox", "cpo", "--hub", f"{hub_url}/ocpi/versions", "--token", "not-issued")

    assert result.exit_code == 1
    assert "not registered" in result.stdout


def test_a_party_that_is_none(cli: Cli) -> None:
    told = cli.refused("sandbox", "cpo", "--hub", "http://127.0.0.1:1", "--token", "x", "--party", "NLABC", code=2)

    assert "NL/ABC" in told
