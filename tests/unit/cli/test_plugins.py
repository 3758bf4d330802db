"""`ocpi-hub plugins` against a hub in a process of its own, with the files of a plugin folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli, environment, program

COUNTING = """
from collections.abc import Iterable

from hub.plugin import Exchange, Health, HttpRequest, HttpResponse, Phase, Plugin, PluginConfig, Route, Secret, Watch


class CountingConfig(PluginConfig):
    share: float = 0.5
    label: str = "all"
    password: Secret | None = None


class Counting(Plugin[CountingConfig]):
    name = "counting"
    Config = CountingConfig
    count = 0

    def watches(self) -> Iterable[Watch]:
        return [Watch(frozenset({Phase.FINISHED}), modules=frozenset({"sessions"}))]

    def on_finished(self, exchange: Exchange) -> None:
        self.count += 1

    def routes(self) -> Iterable[Route]:
        return [Route("GET", "/counting/now", self.now, summary="How many")]

    async def now(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=self.count)

    def health(self) -> Health:
        return Health(text=f"{self.config.label} counted", facts={"count": self.count})
"""
QUIET = """
from hub.plugin import Health, Plugin, PluginConfig


class Quiet(Plugin[PluginConfig]):
    name = "quiet"

    def health(self) -> Health:
        return Health(ok=False, text="it is too \\x1b[31mquiet")
"""
RESTLESS = """
from hub.plugin import Plugin, PluginConfig


class Restless(Plugin[PluginConfig]):
    name = "restless"

    async def start(self) -> None:
        raise ConnectionError("nobody at home")
"""
BROKEN = "import nothing_of_that_name\n"


def write_folder(folder: Path) -> Path:
    """Four plugins, one of which cannot be imported, and one cannot start."""
    folder.mkdir()
    for name, text in (("counting", COUNTING), ("quiet", QUIET), ("restless", RESTLESS), ("broken", BROKEN)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def with_plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The command line beside a hub that runs two of them."""
    home = tmp_path_factory.mktemp("hub")
    settings = home / "hub.toml"
    folder = write_folder(home / "plugins")
    settings.write_text(f'plugins = ["quiet", "counting"]\nplugin_folder = "{folder}"\n', encoding="utf-8")
    env = environment(home / "data")
    with program(env, "serve", "--config", str(settings)) as hub:
        yield Cli(env | {"OCPI_HUB_PUBLIC_URL": hub.ready(), "OCPI_HUB_PLUGIN_FOLDER": str(folder)})


def rows(output: str) -> dict[str, str]:
    """Lines of the list by plugin; what runs has its place in front."""
    found = {}
    for line in output.splitlines()[1:]:
        words = line.split()
        found[words[1] if words[0].isdigit() else words[0]] = " ".join(words)
    return found


def test_the_list_has_what_runs_first_and_in_order(with_plugins: Cli) -> None:
    output = with_plugins.done("plugins", "list")
    listed = rows(output)

    assert list(listed)[:2] == ["quiet", "counting"]
    assert listed["counting"].startswith("2 counting RUNNING 0 0 0.000 0 all counted ")
    assert "it is too \N{REPLACEMENT CHARACTER}[31mquiet" in listed["quiet"]
    assert listed["broken"].startswith("broken BROKEN 0 0 0.000 0 importing it fails with ModuleNotFoundError")
    assert [row["name"] for row in with_plugins.json("plugins", "list")] == list(listed)


def test_the_order_of_each_phase(with_plugins: Cli) -> None:
    lines = [line.split() for line in with_plugins.done("plugins", "order").splitlines()]

    assert ["finished", "counting"] in lines
    assert ["routed", "-"] in lines
    assert with_plugins.json("plugins", "order")["finished"] == ["counting"]


def test_one_plugin_is_shown(with_plugins: Cli) -> None:
    lines = [" ".join(line.split()) for line in with_plugins.done("plugins", "show", "counting").splitlines()]

    assert "state RUNNING" in lines
    assert "health all counted" in lines
    assert "count 0" in lines
    assert "watches finished: every method of sessions" in lines
    assert "failures 0, 0 trips, 0 abandoned, 0 leaked" in lines
    assert "GET /counting/now admin How many" in lines
    assert with_plugins.json("plugins", "show", "counting")["place"] == 2


def test_a_plugin_is_switched_off_and_on(with_plugins: Cli) -> None:
    assert with_plugins.done("plugins", "disable", "quiet").strip() == "quiet is OFF"
    assert "an operator switched it off" in rows(with_plugins.done("plugins", "list"))["quiet"]
    assert with_plugins.done("plugins", "enable", "quiet").strip() == "quiet is RUNNING"


def test_a_configuration_is_shown_set_and_reset(with_plugins: Cli) -> None:
    before = with_plugins.json("plugins", "config", "counting")
    changed = with_plugins.json(
        *("plugins", "config", "counting", "--set", "share=0.25", "--set", "label=those of today"),
        *("--set", 'on_error="reject"'),
    )
    shown = with_plugins.done("plugins", "config", "counting", "--unset", "on_error")
    reset = with_plugins.json("plugins", "config", "counting", "--reset")

    assert (before["set_by"], before["given"]) == ("settings", [])
    assert (changed["set_by"], changed["given"]) == ("operator", ["share", "label", "on_error"])
    assert (changed["values"]["share"], changed["values"]["label"]) == (0.25, "those of today")
    assert changed["values"]["on_error"] == "reject"
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines[0] == "KEY VALUE"
    assert {"share 0.25 set by an operator", "on_error continue", "password -"} <= set(lines)
    assert reset == before


def test_what_cannot_be_is_told_in_the_hubs_words(with_plugins: Cli) -> None:
    told = with_plugins.refused("plugins", "config", "counting", "--set", "share=much")
    assert told == "Error: what an operator set: plugin.counting.share must be a number, not 'much'"
    told = with_plugins.refused("plugins", "config", "counting", "--set", "password=hunter2")
    assert '{env = "NAME"}' in told
    assert "hunter2" not in told
    assert "the nearest one is counting" in with_plugins.refused("plugins", "show", "countin")
    told = with_plugins.refused("plugins", "enable", "restless")
    assert "cannot run: ConnectionError: nobody at home: nothing has changed, and what ran goes on (" in told
    assert told.isprintable()
    assert "nothing_of_that_name" in with_plugins.refused("plugins", "enable", "broken")
    for wrong in (("--set", "share"), ("--set", "=1"), ("--set", "a=1", "--unset", "a"), ("--reset", "--unset", "a")):
        assert "Usage: " in with_plugins.refused("plugins", "config", "counting", *wrong, code=2)


def test_a_new_plugin_is_written_and_found_by_a_reload(with_plugins: Cli, tmp_path: Path) -> None:
    written = with_plugins.done("plugins", "new", "slow_sessions", "--folder", str(tmp_path)).split()
    again = with_plugins.refused("plugins", "new", "slow_sessions", "--folder", str(tmp_path))
    module = tmp_path / "slow_sessions" / "slow_sessions.py"
    folder = Path(with_plugins.env["OCPI_HUB_PLUGIN_FOLDER"])
    (folder / module.name).write_bytes(module.read_bytes())

    unknown = with_plugins.refused("plugins", "enable", "slow_sessions")
    reloaded = with_plugins.done("plugins", "reload")
    enabled = with_plugins.done("plugins", "enable", "slow_sessions")

    assert str(module) in written
    assert "exists: remove it" in again
    assert "put its file into PLUGIN_FOLDER, and reload" in unknown
    assert reloaded.strip() == "plugins run as the settings are now: quiet, counting"
    assert enabled.strip() == "slow_sessions is RUNNING"
    assert with_plugins.done("plugins", "disable", "slow_sessions").strip() == "slow_sessions is OFF"


def test_a_plugin_that_did_not_start_says_why_and_where(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "plugins")
    env = environment(tmp_path / "data", PLUGINS="restless", PLUGIN_FOLDER=str(folder))
    with program(env, "serve") as hub:
        cli = Cli(env | {"OCPI_HUB_PUBLIC_URL": hub.ready()})

        listed = rows(cli.done("plugins", "list"))["restless"]
        shown = [" ".join(line.split()) for line in cli.done("plugins", "show", "restless").splitlines()]

    assert listed == f"1 restless FAILED 0 0 0.000 0 ConnectionError: nobody at home {folder}/restless.py"
    assert "why ConnectionError: nobody at home" in shown
    assert any(line.endswith("in start") for line in shown)


def checked(folder: Path, code: int = 0, **changes: str) -> list[tuple[str, str]]:
    """Mark and text of what `ocpi-hub check` says about plugins."""
    result = Cli(environment(folder, **changes)).run("check")
    assert result.exit_code == code, result.output
    lines = [line.split(None, 2) for line in result.stdout.splitlines()[1:]]
    return [(mark, text.strip()) for mark, what, text in lines if what == "PLUGINS"]


def test_check_says_which_plugins_run_and_which_cannot(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "plugins")

    fine = checked(tmp_path, PLUGINS="quiet,counting", PLUGIN_FOLDER=str(folder))
    wanted = checked(tmp_path, 1, PLUGINS="broken,counting", PLUGIN_FOLDER=str(folder))
    bad = checked(tmp_path, 1, PLUGINS="counting", PLUGIN_FOLDER=str(folder), PLUGIN__COUNTING__SHARE="much")

    cannot = f"broken ({folder}/broken.py) cannot run: importing it fails with ModuleNotFoundError"
    assert [(mark, text[: len(cannot)]) for mark, text in fine] == [("-", cannot), ("ok", "quiet, counting")]
    assert [(mark, text[: len(cannot)]) for mark, text in wanted] == [("FAILED", cannot), ("ok", "counting")]
    assert bad[1] == ("FAILED", "the environment: plugin.counting.share must be a number, not 'much'")


def test_check_knows_what_operators_chose(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "plugins")
    env = environment(tmp_path / "data", PLUGINS="quiet", PLUGIN_FOLDER=str(folder))
    with program(env, "serve") as hub:
        cli = Cli(env | {"OCPI_HUB_PUBLIC_URL": hub.ready()})
        cli.done("plugins", "disable", "quiet")
        cli.done("plugins", "config", "counting", "--set", "share=0.25")
        assert hub.end() == 0
    (folder / "counting.py").write_text(COUNTING.replace("share:", "portion:"), encoding="utf-8")

    # The module of before is still loaded here; what looks is a process of its own.
    with program(env, "check") as looked:
        assert looked.wait() == 1

    told = [" ".join(line.split()) for line in looked.stdout if "PLUGINS" in line]
    assert "- PLUGINS by operators: quiet off; counting configured" in told
    assert any(line.startswith("FAILED PLUGINS what an operator set: plugin.counting.share is not") for line in told)
