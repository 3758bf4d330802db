"""`ocpi-hub check`: every line, right and wrong; it changes nothing and works beside a running hub."""

import shutil
import socket
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli, environment, program


def lines(output: str) -> dict[str, list[tuple[str, str]]]:
    """Mark and text of each line, by what it is about."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in output.splitlines()[1:]:
        mark, what, text = line.split(None, 2)
        found.setdefault(what, []).append((mark, text.strip()))
    return found


def checked(tmp_path: Path, code: int = 0, **changes: str) -> dict[str, list[tuple[str, str]]]:
    result = Cli(environment(tmp_path, **changes)).run("check")
    assert result.exit_code == code, result.output
    return lines(result.stdout)


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a hub leaves in its data folder; tests take `used` instead."""
    folder = tmp_path_factory.mktemp("hub")
    with program(environment(folder), "serve") as hub:
        hub.ready()
        assert hub.end() == 0
    return folder


@pytest.fixture
def used(left_behind: Path, tmp_path: Path) -> Path:
    """A data folder of a hub that has run."""
    shutil.copytree(left_behind, tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_before_the_first_start(tmp_path: Path) -> None:
    folder = tmp_path / "data"

    found = checked(folder, ADMIN_TOKEN="", SECRET_KEY="")

    assert found["ADMIN_TOKEN"][0] == ("-", f"not set; the first start keeps a generated one in {folder}/admin.token")
    assert found["DATABASE_URL"][0] == ("-", f"{folder / 'hub.db'} will be made")
    assert found["PORT"][0][0] == "ok"
    assert found["PUBLIC_URL"][-1][0] == "-"
    assert "PARTY_ID" in "".join(text for _, text in found["settings"])
    assert not folder.exists()


def test_after_a_hub_has_run(used: Path) -> None:
    found = checked(used)

    assert found["SECRET_KEY"][0] == ("ok", "set by the settings")
    assert found["SECRET_KEY"][1][0] == "ok"
    assert "opens all" in found["SECRET_KEY"][1][1]
    assert found["DATABASE_URL"][0][0] == "ok"
    assert "schema 3" in found["DATABASE_URL"][0][1]


def test_beside_a_running_hub(tmp_path: Path) -> None:
    with program(environment(tmp_path), "serve") as hub:
        url = hub.ready()
        port = url.rpartition(":")[2]

        found = checked(tmp_path, PORT=port, PUBLIC_URL=url)

        assert hub.end() == 0
    database = f"{tmp_path}/hub.db is in use by a running hub, so it was not looked into"
    assert found["DATABASE_URL"] == [("-", database)]
    assert found["PORT"] == [("ok", f"a hub serves on 127.0.0.1:{port}")]
    assert found["PUBLIC_URL"] == [("ok", f"{url}: a hub answers there")]


def test_a_key_that_opens_nothing(used: Path) -> None:
    found = checked(used, code=1, SECRET_KEY="quite-another-secret-key")

    assert found["SECRET_KEY"][1][0] == "FAILED"
    assert "opens 0 of" in found["SECRET_KEY"][1][1]


def test_a_new_key_in_front_of_the_old_one(used: Path) -> None:
    old = environment(used)["OCPI_HUB_SECRET_KEY"]

    found = checked(used, SECRET_KEY=f"quite-another-secret-key,{old}")

    assert "ocpi-hub keys rotate" in found["SECRET_KEY"][-1][1]


def test_a_sealed_database_without_any_key(used: Path) -> None:
    found = checked(used, code=1, SECRET_KEY="")

    assert found["SECRET_KEY"][0][0] == "-"
    assert found["SECRET_KEY"][1][0] == "FAILED"
    assert "no key to open them" in found["SECRET_KEY"][1][1]


def test_a_secret_that_others_may_read(tmp_path: Path) -> None:
    kept = tmp_path / "secret.key"
    kept.write_text("a-secret-key-for-everybody\n", encoding="ascii")
    kept.chmod(0o644)

    found = checked(tmp_path, code=1, SECRET_KEY="")

    assert found["SECRET_KEY"][0][0] == "FAILED"
    assert "chmod 600" in found["SECRET_KEY"][0][1]


def test_a_port_of_somebody_else(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        found = checked(tmp_path, code=1, PORT=port, PUBLIC_URL="http://127.0.0.1:1")

    assert found["PORT"][0][0] == "FAILED"


def test_a_database_that_is_not_one(tmp_path: Path) -> None:
    (tmp_path / "hub.db").write_bytes(b"this is not a database at all, but a text of some length" * 50)

    found = checked(tmp_path, code=1)

    assert found["DATABASE_URL"][0][0] == "FAILED"


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()

    found = checked(in_the_way / "data", code=1)

    assert found["DATA_DIR"][0][0] == "FAILED"


def test_authorities_that_are_none(tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("no certificates here", encoding="ascii")

    found = checked(tmp_path, code=1, CA_FILE=str(wrong))

    assert found["CA_FILE"][0][0] == "FAILED"


def test_choices_that_open_something_are_remarked(tmp_path: Path) -> None:
    found = checked(tmp_path, PUBLIC_URL="http://hub.invalid")

    assert found["ALLOW_HTTP"][0][0] == "-"
    assert "127.0.0.0/8" in found["ALLOWED_NETWORKS"][0][1]
    assert any("plain http" in text for _, text in found["PUBLIC_URL"])


def test_nothing_secret_is_printed(used: Path) -> None:
    env = environment(used)
    output = Cli(env).run("check").output

    assert env["OCPI_HUB_SECRET_KEY"] not in output
    assert env["OCPI_HUB_ADMIN_TOKEN"] not in output
