"""`ocpi-hub serve` as a process: how it starts, how it stops, and the one sentence when it cannot start."""

import importlib.util
import signal
import socket
import stat
from pathlib import Path

import pytest

from hub.ocpi import codec
from tests.unit.cli.conftest import environment, program


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(tmp_path: Path, number: signal.Signals) -> None:
    with program(environment(tmp_path), "serve") as hub:
        url = hub.ready()
        assert url.startswith("http://127.0.0.1:")

        assert hub.end(number) == 0

        events = [codec.loads(line)["event"] for line in hub.stdout]
        assert events[-1] == "hub has stopped"


def test_the_first_start_makes_its_secrets_and_says_where(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    unset = environment(folder, ADMIN_TOKEN="", SECRET_KEY="")
    with program(unset, "serve") as hub:
        hub.ready()
        assert hub.end() == 0
        first = "\n".join(hub.stderr)
        logged = "\n".join(hub.stdout)
    with program(unset, "serve") as hub:
        hub.ready()
        assert hub.end() == 0
        second = "\n".join(hub.stderr)

    for name, file in (("ADMIN_TOKEN", "admin.token"), ("SECRET_KEY", "secret.key")):
        kept = folder / file
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert f"{name} is generated and kept in {kept}" in first
        assert f"{name} is kept in {kept}" in second
        assert kept.read_text(encoding="ascii").strip() not in first + second + logged


def test_defaults_that_nobody_chose_are_pointed_out(tmp_path: Path) -> None:
    with program(environment(tmp_path, PARTY_ID="XYZ"), "serve") as hub:
        hub.ready()
        hub.end()
        told = [line for line in hub.stderr if line.startswith("warning: ")]

    assert [line.split()[1] for line in told] == ["NAME", "COUNTRY_CODE", "PUBLIC_URL"]


def test_a_configuration_file_is_read(tmp_path: Path) -> None:
    config = tmp_path / "hub.toml"
    config.write_text('name = "Roam"\ncountry_code = "BE"\nparty_id = "ROA"\n', encoding="utf-8")

    with program(environment(tmp_path), "serve", "--config", str(config)) as hub:
        hub.ready()
        hub.end()
        assert [line for line in hub.stderr if "COUNTRY_CODE" in line] == []


@pytest.mark.skipif(importlib.util.find_spec("uvloop") is None, reason="the extra speed is not installed")
def test_another_event_loop(tmp_path: Path) -> None:
    with program(environment(tmp_path), "serve", "--uvloop") as hub:
        hub.ready()
        assert hub.end() == 0


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with program(environment(tmp_path, PORT=str(port)), "serve") as hub:
            assert hub.wait() == 1
            assert hub.stderr[-1] == f"Error: PORT {port} on 127.0.0.1 is in use by another program"


def test_an_address_that_is_not_of_this_machine(tmp_path: Path) -> None:
    with program(environment(tmp_path, HOST="192.0.2.1"), "serve") as hub:
        assert hub.wait() == 1
        assert hub.stderr[-1].startswith("Error: the hub cannot serve on 192.0.2.1:0: ")


def test_a_database_that_another_hub_holds(tmp_path: Path) -> None:
    with program(environment(tmp_path), "serve") as first:
        first.ready()
        with program(environment(tmp_path), "serve") as second:
            assert second.wait() == 1
            assert "in use by another hub" in second.stderr[-1]


def test_a_key_that_is_not_the_one_it_was_sealed_with(tmp_path: Path) -> None:
    with program(environment(tmp_path), "serve") as hub:
        hub.ready()
        hub.end()
    with program(environment(tmp_path, SECRET_KEY="quite-another-secret-key"), "serve") as hub:
        assert hub.wait() == 1
        assert "SECRET_KEY" in hub.stderr[-1]
        assert "Traceback" not in "\n".join(hub.stderr + hub.stdout)
