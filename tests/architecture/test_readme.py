"""The README is true: its commands exist, its test command is what CI runs, every metric and alarm is in it."""

import re
from pathlib import Path

import click
import pytest

from hub.cli import main
from hub.metrics import ALARMS, GAUGES, LATENCY, LEG_LATENCY, MESSAGES

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def _commands() -> list[str]:
    """Every `ocpi-hub ...` in the README, with `a / b / c` spelled out."""
    found: list[str] = []
    for text in re.findall(r"ocpi-hub ([a-z][a-z /]*)", README):
        words = text.split()
        if "/" in words:
            first = words[0]
            found += [f"{first} {word}" for word in words[1:] if word != "/"]
        else:
            found.append(" ".join(words))
    return sorted(set(found))


@pytest.mark.parametrize("text", _commands())
def test_the_command_exists(text: str) -> None:
    command: click.Command = main
    for word in text.split():
        if not isinstance(command, click.Group):
            return  # the rest are arguments
        known = command.commands.get(word)
        assert known is not None, f"ocpi-hub {text}: {word} is no command"
        command = known


def test_every_command_is_mentioned() -> None:
    mentioned = {text.split()[0] for text in _commands()}
    assert mentioned >= set(main.commands)


def test_ci_runs_the_readmes_test_command() -> None:
    (command,) = re.findall(r"^(python3 -m venv .*pytest.*)$", README, re.MULTILINE)
    assert command in (ROOT / ".ci" / "run").read_text().splitlines()


def test_every_metric_and_alarm_is_explained() -> None:
    for name in (MESSAGES, LATENCY, LEG_LATENCY, ALARMS, *GAUGES):
        assert f"`{name}" in README, name
    sounded: set[str] = set()
    for path in (ROOT / "hub").rglob("*.py"):
        sounded |= set(re.findall(r"\.sound\(\s*\"(\w+)\"", path.read_text()))
        sounded |= set(re.findall(r"kind = \"(\w+)\" if .* else \"\w+\"", path.read_text()))
        sounded |= set(re.findall(r"kind = \"\w+\" if .* else \"(\w+)\"", path.read_text()))
    assert sounded
    for kind in sounded:
        assert f"`{kind}`" in README, kind


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "hub" / "README.md", ROOT / "tests" / "bench" / "README.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            assert target.startswith("https://") or (page.parent / target).exists(), f"{page.name}: {target}"
