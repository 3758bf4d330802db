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


def run(*command: str) -> None:
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_the_files_that_are_written(tmp_path: Path) -> None:
    home = tmp_path / "quiet_hours"

    written = write("quiet_hours", tmp_path)

    assert written == [home / "pyproject.toml", home / "quiet_hours.py", home / "README.md"]
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

    ruff = str(Path(sysconfig.get_path("scripts")) / "ruff")
    run(ruff, "check", "--no-cache", "--config", "pyproject.toml", str(tmp_path))
    run(ruff, "format", "--check", "--no-cache", "--config", "pyproject.toml", str(tmp_path))
    assert "$" not in (tmp_path / name / "README.md").read_text()


def test_the_types_are_strict(tmp_path: Path) -> None:
    write("quiet_hours", tmp_path)

    run(sys.executable, "-m", "mypy", "--strict", str(tmp_path / "quiet_hours" / "quiet_hours.py"))


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
