"""Habits of the repository that no tool checks: small files that say what they are for, modules that stand alone,
and no trace of the machine it was written on."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hub", "plugins")
LONGEST_FILE_LINES = 400
HIDDEN_AND_OURS = {".ci", ".github"}
NOT_OURS = {"venv", "build", "dist", "node_modules", "__pycache__"}
# Spelt in pieces, or this file would find itself.
MACHINE_PATHS = tuple(f"/{name}/" for name in ("work", "root"))


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def text_files(folder: Path = ROOT) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            hidden = path.name.startswith(".") and path.name not in HIDDEN_AND_OURS
            if not hidden and path.name not in NOT_OURS and not path.name.endswith(".egg-info"):
                yield from text_files(path)
        elif path.is_file():
            try:
                yield path, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # not text


def test_there_is_something_to_check() -> None:
    assert {"hub", "hub.settings", "hub.logs", "plugins"} <= {module_name(path) for path in sources(*PACKAGES)}


@pytest.mark.parametrize("folder", PACKAGES)
def test_no_file_is_two_rooms(folder: str) -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources(folder)}
    assert {module_name(path): lines for path, lines in lengths.items() if lines > LONGEST_FILE_LINES} == {}


def test_every_module_says_what_belongs_in_it() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources(*PACKAGES, "tests")
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def importing(modules: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.architecture.import_alone", *modules]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)


def test_every_module_imports_alone() -> None:
    """No two need each other, so whichever is asked for first finds what it needs."""
    # A __main__ module runs when it is imported.
    modules = [name for path in sources(*PACKAGES) if not (name := module_name(path)).endswith("__main__")]
    finished = importing(modules)
    assert finished.returncode == 0, finished.stderr


def test_modules_that_need_each_other_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "circling").mkdir()
    (tmp_path / "circling" / "__init__.py").write_text("")
    (tmp_path / "circling" / "one.py").write_text("from circling.two import Two\n\nclass One: ...\n")
    (tmp_path / "circling" / "two.py").write_text("class Two: ...\n\nimport circling.one\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    finished = importing(["circling", "circling.one", "circling.two"])
    assert finished.returncode == 1
    assert "circling.one <- circling.two" in finished.stderr


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path, text in text_files()
        for number, line in enumerate(text.splitlines(), start=1)
        if any(machine_path in line for machine_path in MACHINE_PATHS)
    ]
    assert found == []
