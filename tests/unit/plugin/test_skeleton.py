"""What a new plugin begins with runs as it is, and pleases the same tools as the hub."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import cast

import pytest

from hub.plugin import HubApi, Phase
from hub.plugin.inspecting import problems_of_watches
from hub.plugin.loader import ENTRY_POINTS, available, chosen
from hub.plugin.skeleton import NotWritten, write

ROOT = Path(__file__).resolve().parents[3]
RUFF = str(Path(sysconfig.get_path("scripts")) / "ruff")
WITH_OUR_RULES = ("--no-cache", "--config", "pyproject.toml")


def run(*command: str, cwd: Path = ROOT, **variables: str) -> None:
    path = {"PYTHONPATH": f"{cwd}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1", **variables}
    finished = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=50, check=False, env=os.environ | path
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_the_files_that_are_written(tmp_path: Path) -> None:
    home = tmp_path / "quiet_hours"

    written = write("quiet_hours", tmp_path)

    assert written == [
        home / "pyproject.toml",
        home / "quiet_hours.py",
        home / "test_quiet_hours.py",
        home / "README.md",
    ]
    assert sorted(home.iterdir()) == sorted(written)
    project = tomllib.loads((home / "pyproject.toml").read_text())
    assert project["project"]["name"] == "ocpi-hub-quiet-hours"
    assert project["project"]["entry-points"] == {ENTRY_POINTS: {"quiet_hours": "quiet_hours:QuietHoursPlugin"}}


def test_the_plugin_is_found_and_can_be_configured(tmp_path: Path) -> None:
    write("quiet_hours", tmp_path)

    found = available(tmp_path / "quiet_hours")
    (running,) = chosen(["quiet_hours"], {"quiet_hours": {"slow_s": 3}}, found, "hub.toml")

    assert running.plugin.__name__ == "QuietHoursPlugin"
    assert running.config.public()["slow_s"] == 3
    plugin = running.plugin(running.config, cast("HubApi", None))
    (watch,) = plugin.watches()
    assert watch.phases == {Phase.FINISHED}
    assert problems_of_watches(plugin, [watch]) == []


@pytest.mark.parametrize("name", ["quiet_hours", "watch", "p" * 40, "a__b_"])
def test_the_readme_and_the_linter_are_content(tmp_path: Path, name: str) -> None:
    write(name, tmp_path)

    # To its own project the plugin is at home and the hub is a library; asserts are what tests are made of.
    home = tmp_path / name
    at_home = ("--config", f"src=['{home}']", "--config", f"lint.isort.known-first-party=['{name}']")
    module, test = str(home / f"{name}.py"), str(home / f"test_{name}.py")
    run(RUFF, "check", *WITH_OUR_RULES, module)
    run(RUFF, "check", *WITH_OUR_RULES, *at_home, "--ignore", "S101,ARG001", test)
    run(RUFF, "format", "--check", *WITH_OUR_RULES, module, test)
    assert "$" not in (home / "README.md").read_text()


def test_the_types_are_strict(tmp_path: Path) -> None:
    write("quiet_hours", tmp_path)

    home = tmp_path / "quiet_hours"
    modules = (str(home / "quiet_hours.py"), str(home / "test_quiet_hours.py"))
    run(sys.executable, "-m", "mypy", "--strict", *modules, MYPYPATH=f"{home}{os.pathsep}{ROOT}")


def test_its_own_tests_pass(tmp_path: Path) -> None:
    write("quiet_hours", tmp_path)

    run(sys.executable, "-m", "pytest", "-q", "--disable-plugin-autoload", "-W", "error", cwd=tmp_path / "quiet_hours")


@pytest.mark.parametrize("name", ["Quiet", "quiet-hours", "1st", "", "../quiet", "q" * 41])
def test_a_name_that_no_plugin_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotWritten, match="cannot be a plugin's name: take at most 40 lower case letters"):
        write(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["class", "json", "hub", "pydantic", "plugin"])
def test_a_name_that_means_something_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotWritten, match=f"^'{name}' means something else already"):
        write(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_exists_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "quiet_hours").mkdir()

    with pytest.raises(NotWritten, match="quiet_hours exists: remove it, or give the plugin another name"):
        write("quiet_hours", tmp_path)
    assert list((tmp_path / "quiet_hours").iterdir()) == []


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(NotWritten, match=f"{os.sep}quiet_hours cannot be written: No such file or directory"):
        write("quiet_hours", tmp_path / "nowhere")
