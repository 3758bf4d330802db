"""`config/hub.toml` tells the truth: every setting is there, with the default of the code and a reason."""

from __future__ import annotations

import re
from pathlib import Path

from hub.settings import describe, load

CONFIG = Path(__file__).resolve().parents[2] / "config" / "hub.toml"
SETTING = re.compile(r"^#(?=\w+ = |\[\w+\]$)", re.MULTILINE)
HOME = {"HOME": "/home/someone"}


def settings_in_order(text: str) -> list[str]:
    return [line.strip("#[]").partition(" ")[0].upper() for line in text.splitlines() if SETTING.match(line)]


def test_as_shipped_the_file_changes_nothing() -> None:
    assert load(CONFIG, HOME) == load(None, HOME)
    assert load(CONFIG, HOME).model_fields_set == load(None, HOME).model_fields_set


def test_every_written_default_is_the_default_of_the_code(tmp_path: Path) -> None:
    active = tmp_path / "hub.toml"
    active.write_text(SETTING.sub("", CONFIG.read_text(encoding="utf-8")), encoding="utf-8")

    assert load(active, HOME) == load(None, HOME)


def test_every_setting_is_written_down_once() -> None:
    written = settings_in_order(CONFIG.read_text(encoding="utf-8"))

    assert len(written) == len(set(written))
    assert set(written) == {row.name for row in describe()}


def test_every_setting_has_a_reason() -> None:
    paragraphs = re.split(r"\n\s*\n", CONFIG.read_text(encoding="utf-8"))

    for paragraph in paragraphs:
        if settings_in_order(paragraph):
            assert paragraph.startswith("# "), f"no reason above:\n{paragraph}"
