"""Plugins are found where they are installed or lie, and what cannot run is told in one sentence with its remedy."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from hub.errors import SettingsError
from hub.plugin import Plugin
from hub.plugin.loader import DEFAULT_SET, ENTRY_POINTS, Available, available, chosen, open_folder

PLUGIN = """
from hub.plugin import Plugin, PluginConfig

class Own(Plugin[PluginConfig]):
    name = "{name}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "plugins"
    made.mkdir()
    return made


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that distributions are installed into."""
    made = tmp_path / "site"
    made.mkdir()
    monkeypatch.syspath_prepend(str(made))
    yield made
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(made)):
            del sys.modules[name]


def install(site: Path, distribution: str, point: str, source: str) -> None:
    """What an installer leaves: a module, and the metadata that names its entry point."""
    module = point.partition("=")[2].partition(":")[0].strip()
    (site / f"{module}.py").write_text(source)
    metadata = site / f"{distribution.replace('-', '_')}-2.5.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 2.5\n")
    (metadata / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{point}\n")


# ---- finding


def test_an_installed_plugin_is_found_with_its_distribution(site: Path) -> None:
    install(site, "grid-tools", "grid_tools=grid_tools_module:Own", PLUGIN.format(name="grid_tools"))

    found = available(None)["grid_tools"]

    assert (found.origin, found.problem) == ("grid-tools 2.5", None)
    assert found.plugin is not None
    assert found.plugin.__module__ == "grid_tools_module"


@pytest.mark.parametrize(
    ("point", "source", "problem"),
    [
        (
            "own=broken_a:Own",
            "import a_module_that_nobody_has",
            "importing broken_a:Own fails with ModuleNotFoundError: No module named 'a_module_that_nobody_has'",
        ),
        ("own=broken_b:Own", "raise SystemExit(3)", "importing broken_b:Own fails with SystemExit: 3"),
        ("own=broken_c:Own", "", "importing broken_c:Own fails with AttributeError: "),
        ("own=broken_d:Own", "Own = 3", "broken_d:Own must be a class derived from hub.plugin.Plugin"),
        (
            "own=broken_e:Own",
            PLUGIN.format(name="other"),
            "its entry point is called own and itself 'other': make the two the same",
        ),
        ("own=broken_f:Own", PLUGIN.format(name="own") + "    api = '>=7'\n", "Own.api asks for >=7, and this hub has"),
    ],
)
def test_an_installed_plugin_that_cannot_run_says_why(site: Path, point: str, source: str, problem: str) -> None:
    install(site, "own-tools", point, source)

    found = available(None)["own"]

    assert (found.plugin, found.origin) == (None, "own-tools 2.5")
    assert found.problem is not None
    assert found.problem.startswith(problem)
    assert "\n" not in found.problem


def test_two_distributions_with_one_name_are_both_out(site: Path) -> None:
    install(site, "first-tools", "same=first_module:Own", PLUGIN.format(name="same"))
    install(site, "second-tools", "same=second_module:Own", PLUGIN.format(name="same"))

    found = available(None)["same"]

    assert found.plugin is None
    assert found.problem is not None
    assert found.problem.endswith(" call their plugins the same: keep one of them")
    assert all(origin in found.problem for origin in ("first-tools 2.5", "second-tools 2.5"))


def test_a_file_and_a_distribution_with_one_name_are_both_out(site: Path, folder: Path) -> None:
    install(site, "same-tools", "same=same_module:Own", PLUGIN.format(name="same"))
    (folder / "mine.py").write_text(PLUGIN.format(name="same"))

    found = available(folder)["same"]

    assert found.plugin is None
    assert found.problem is not None
    assert found.problem.startswith(f"same-tools 2.5 and {folder / 'mine.py'} call")


def test_files_of_the_folder_are_plugins_and_may_share_what_starts_with_an_underscore(folder: Path) -> None:
    (folder / "_shared.py").write_text(PLUGIN.format(name="base").replace("Own", "Base"))
    (folder / "mine.py").write_text(
        "from ocpi_hub_plugin_folder._shared import Base\n" + PLUGIN.format(name="mine") + "Alias = Own\n"
    )
    (folder / "notes.txt").write_text("no plugin")

    ours = {name: found for name, found in available(folder).items() if found.origin.startswith(str(folder))}

    assert list(ours) == ["mine"]
    assert ours["mine"].problem is None
    assert ours["mine"].plugin is not None
    assert ours["mine"].origin == str(folder / "mine.py")


def test_a_file_that_has_appeared_or_was_mended_is_found(folder: Path) -> None:
    (folder / "first.py").write_text("Own = (")
    assert available(folder)["first"].plugin is None
    assert "second" not in available(folder)

    (folder / "first.py").write_text(PLUGIN.format(name="first"))
    (folder / "second.py").write_text(PLUGIN.format(name="second"))

    found = available(folder)
    assert found["first"].plugin is not None
    assert found["second"].plugin is not None
    assert available(folder)["second"].plugin is found["second"].plugin


def test_another_folder_is_another_place(tmp_path: Path, folder: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for place, name in ((folder, "mine"), (other, "theirs")):
        (place / "file.py").write_text(PLUGIN.format(name=name))

    assert {"mine", "theirs"} & available(folder).keys() == {"mine"}
    assert {"mine", "theirs"} & available(other).keys() == {"theirs"}


@pytest.mark.parametrize(
    ("file", "source", "problem"),
    [
        ("mine.py", "", "it defines no plugin: a file holds one class derived from Plugin"),
        ("mine.py", "from hub.plugin import Plugin", "it defines no plugin: "),
        (
            "mine.py",
            PLUGIN.format(name="mine") + "class Second(Own): ...\n",
            "it defines Own and Second: a file holds one class derived from Plugin",
        ),
        ("mine.py", "def (", "importing it fails with SyntaxError: "),
        ("mine.py", "raise ValueError('a\\nb')", "importing it fails with ValueError: a b"),
        ("mine.py", "raise ValueError", "importing it fails with ValueError"),
        ("mine.py", PLUGIN.format(name=""), "Own.name is '': give it "),
        ("my-own.py", PLUGIN.format(name="mine"), "its file must be called by letters, digits and underscores"),
    ],
)
def test_a_file_that_cannot_run_says_why(folder: Path, file: str, source: str, problem: str) -> None:
    (folder / file).write_text(source)

    found = available(folder)[file.removesuffix(".py")]

    assert (found.plugin, found.origin) == (None, str(folder / file))
    assert found.problem is not None
    assert found.problem.startswith(problem)


def test_a_failing_import_tells_no_secret(folder: Path) -> None:
    (folder / "mine.py").write_text("raise ValueError('token=s3cret is wrong')")

    problem = available(folder)["mine"].problem

    assert problem is not None
    assert "ValueError: token=" in problem
    assert "s3cret" not in problem


def test_what_a_file_defines_is_found_by_name_in_another_process(folder: Path) -> None:
    (folder / "mine.py").write_text(PLUGIN.format(name="mine") + "\ndef double(n: int) -> int:\n    return 2 * n\n")
    own = available(folder)["mine"].plugin
    assert own is not None
    double = sys.modules[own.__module__].__dict__["double"]

    other = dedent(f"""
        import pathlib, pickle, sys
        from hub.plugin.loader import open_folder
        open_folder(pathlib.Path({str(folder)!r}))
        print(pickle.load(sys.stdin.buffer)(21))
    """)
    run = subprocess.run(
        [sys.executable, "-c", other], input=pickle.dumps(double), capture_output=True, timeout=30, check=True
    )

    assert run.stdout.decode().strip() == "42"


def test_opening_a_folder_again_keeps_what_is_imported(folder: Path) -> None:
    (folder / "mine.py").write_text(PLUGIN.format(name="mine"))
    own = available(folder)["mine"].plugin
    assert own is not None
    module = sys.modules[own.__module__]

    open_folder(folder)

    assert sys.modules[own.__module__] is module


# ---- choosing


@pytest.fixture
def found() -> dict[str, Available]:
    there = {
        name: Available(name, type("Own", (Plugin,), {"name": name}), "own-tools 2.5")
        for name in ("tracing", "schema_check", "rate_limit")
    }
    return there | {"broken": Available("broken", None, "broken.py", "importing it fails with ValueError: no")}


def refusal(
    found: dict[str, Available], names: list[str] | None = None, tables: dict[str, dict[str, object]] | None = None
) -> str:
    with pytest.raises(SettingsError) as caught:
        chosen(names, tables or {}, found, "hub.toml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_plugins_run_in_the_order_they_are_named(found: dict[str, Available]) -> None:
    running = chosen(["tracing", "rate_limit"], {"rate_limit": {"hook_timeout": 2}}, found, "hub.toml")

    assert [(entry.name, entry.config.hook_timeout, entry.origin) for entry in running] == [
        ("tracing", 1.0, "own-tools 2.5"),
        ("rate_limit", 2.0, "own-tools 2.5"),
    ]
    assert running[0].plugin is found["tracing"].plugin


def test_unset_is_what_is_there_of_the_default_set(found: dict[str, Available]) -> None:
    assert DEFAULT_SET == ("rate_limit", "message_log", "schema_check", "load_manager")
    assert [entry.name for entry in chosen(None, {}, found, "hub.toml")] == ["rate_limit", "schema_check"]
    assert chosen([], {}, found, "hub.toml") == []


def test_a_table_of_a_plugin_that_does_not_run_is_fine(found: dict[str, Available]) -> None:
    tables = {"rate_limit": {"no_such_key": 1}, "broken": {"key": 1}}
    assert [entry.name for entry in chosen(["tracing"], tables, found, "hub.toml")] == ["tracing"]


def test_a_plugin_that_is_not_there_names_the_nearest(found: dict[str, Available]) -> None:
    assert refusal(found, ["rate_limt"]) == (
        "hub.toml: plugins names rate_limt, which is not there; the nearest one is rate_limit"
    )
    assert refusal(found, ["zzzz"]) == (
        "hub.toml: plugins names zzzz, which is not there: install it, or put its file into PLUGIN_FOLDER"
    )


def test_a_table_of_a_plugin_that_is_not_there(found: dict[str, Available]) -> None:
    assert refusal(found, [], {"tracin": {}}) == (
        "hub.toml: [plugin.tracin] is of a plugin that is not there; the nearest one is tracing"
    )


def test_a_plugin_runs_once(found: dict[str, Available]) -> None:
    assert refusal(found, ["tracing", "rate_limit", "tracing"]) == (
        "hub.toml: plugins names tracing twice: each plugin runs once, remove one of them"
    )


def test_a_plugin_that_cannot_run_keeps_the_hub_from_starting(found: dict[str, Available]) -> None:
    assert refusal(found, ["broken"]) == (
        "hub.toml: the plugin broken (broken.py) cannot run: importing it fails with ValueError: no"
    )


def test_a_default_plugin_that_is_there_and_cannot_run_is_told_too(found: dict[str, Available]) -> None:
    found["message_log"] = Available("message_log", None, "own-tools 2.5", "it is broken")
    assert refusal(found) == "hub.toml: the plugin message_log (own-tools 2.5) cannot run: it is broken"


def test_a_wrong_key_is_told_with_its_full_path(found: dict[str, Available]) -> None:
    assert refusal(found, ["tracing"], {"tracing": {"hook_timout": 1}}) == (
        "hub.toml: plugin.tracing.hook_timout is not a key of the plugin tracing; the nearest one is hook_timeout"
    )
