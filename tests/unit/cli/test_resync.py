"""`ocpi-hub platform resync` against a hub in a process of its own, and how it looks."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from hub.cli.progress import PullProgress
from hub.ocpi import names
from hub.ocpi.names import Role
from hub.sandbox import objects
from tests.unit.cli.conftest import BesidePlatform, Cli

Beside = Callable[..., BesidePlatform]


def offering(cli: Cli, beside: Beside, name: str, party_id: str, count: int) -> BesidePlatform:
    """A registered CPO with this many locations, which are pulled."""
    invited = cli.json("platform", "invite", name)
    made = beside(name, (Role.CPO, "NL", party_id))
    for number in range(count):
        made.platform.own.put(names.LOCATIONS, objects.location(f"NL/{party_id}", f"L{number}"))
    assert made.run(made.platform.register, invited["versions_url"], invited["registration_token"]).ok
    cli.done("platform", "set", name, "--pull", "locations=3600")
    return made


def test_a_resync_waits_until_everything_is_there(cli: Cli, beside: Beside) -> None:
    offering(cli, beside, "Resynced", "RSY", 130)

    lines = cli.done("platform", "resync", "Resynced").splitlines()
    as_json = cli.json("platform", "resync", "Resynced")

    assert lines[0].startswith("NL/RSY locations: ")
    assert lines[-1].startswith("NL/RSY locations: DONE, 130 of 130 objects in ")
    assert [(row["status"], row["objects"]) for row in as_json] == [("DONE", 130)]


def test_a_pull_that_fails_is_exit_code_1_and_a_line_that_says_why(cli: Cli, beside: Beside) -> None:
    made = offering(cli, beside, "Failing", "FLG", 3)
    made.platform.faults.on(names.LOCATIONS, method="GET").answer(500)

    failed = cli.run("platform", "resync", "Failing")
    as_json = cli.run("platform", "resync", "Failing", "--json")

    assert (failed.exit_code, as_json.exit_code) == (1, 1)
    last = failed.stdout.splitlines()[-1]
    assert last.startswith("NL/FLG locations: FAILED")
    assert "500" in last
    assert '"status": "FAILED"' in as_json.stdout


def test_the_wait_has_an_end(cli: Cli, beside: Beside) -> None:
    made = offering(cli, beside, "Slow", "SLW", 3)
    made.platform.faults.on(names.LOCATIONS, method="GET").hang()

    slow = cli.run("platform", "resync", "Slow", "--timeout", "0.3")

    assert slow.exit_code == 1
    assert slow.stderr.strip() == "Not over within 0.3 s: NL/SLW locations. The hub goes on with it."


def test_nobody_has_to_wait(cli: Cli, beside: Beside) -> None:
    made = offering(cli, beside, "Unwaited", "UNW", 3)
    made.platform.faults.on(names.LOCATIONS, method="GET").hang()

    table = cli.done("platform", "resync", "Unwaited", "--no-wait")

    assert table.splitlines()[-1].split()[:2] == ["NL/UNW", "locations"]
    assert len(cli.json("platform", "resync", "Unwaited", "--no-wait")) == 1


def test_nothing_to_pull(cli: Cli) -> None:
    cli.done("platform", "invite", "Never registered")

    assert "not registered" in cli.refused("platform", "resync", "Never registered")
    assert "there is no platform" in cli.refused("platform", "resync", "Nobody")


# --- how it looks ---


def row(party_id: str, status: str, objects: int, total: int | None, problem: str | None = None) -> dict[str, Any]:
    return {
        "country_code": "NL",
        "party_id": party_id,
        "module": "locations",
        "status": status,
        "objects": objects,
        "total": total,
        "pages": 1,
        "problem": problem,
    }


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_on_a_terminal_and_elsewhere(*, terminal: bool) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=terminal, width=100, highlight=False, color_system=None)

    with PullProgress(console) as progress:
        progress.show([row("AAA", "WAITING", 0, None), row("BBB", "RUNNING", 10, None)])
        progress.show([row("AAA", "RUNNING", 50, 100), row("BBB", "RUNNING", 90, None)])
        progress.show([row("AAA", "DONE", 100, 100), row("BBB", "FAILED", 90, None, "\x1b[2Jit broke")])

    text = shown.getvalue()
    assert ("\u2501" in text) is terminal
    assert "\x1b[2J" not in text
    assert "NL/AAA locations" in text
    assert "DONE, 100 of 100 objects in 1 pages" in text
    if not terminal:
        assert text.splitlines() == [
            "NL/AAA locations: WAITING, 0 objects in 1 pages",
            "NL/BBB locations: RUNNING, 10 objects in 1 pages",
            "NL/AAA locations: RUNNING, 50 of 100 objects in 1 pages",
            "NL/AAA locations: DONE, 100 of 100 objects in 1 pages",
            "NL/BBB locations: FAILED, 90 objects in 1 pages: \N{REPLACEMENT CHARACTER}[2Jit broke",
        ]
