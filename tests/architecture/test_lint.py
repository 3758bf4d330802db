"""What the tools say: style, types, and imports that go downstairs through one door per library."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Each tool is part of the environment the tests run in; a copy elsewhere on PATH may be another version.
SCRIPTS = sysconfig.get_path("scripts")


def run(*command: str) -> None:
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert finished.returncode == 0, f"{' '.join(command)}\n{finished.stdout}{finished.stderr}"


def script(name: str) -> str:
    found = shutil.which(name, path=SCRIPTS)
    assert found is not None, f"{name} is not installed beside {sys.executable}: install .[test]"
    return found


def test_ruff_finds_nothing() -> None:
    run(script("ruff"), "check", ".")


@pytest.mark.timeout(300)
def test_types_are_strict() -> None:
    run(sys.executable, "-m", "mypy", "--strict", "hub", "plugins", "tests")


def test_imports_go_downstairs_and_each_library_has_one_door() -> None:
    run(script("lint-imports"), "--no-cache")
