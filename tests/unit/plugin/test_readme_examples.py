"""The page for authors is true: its code is one module, read from top to bottom, and every plugin in it does at a hub
what the page says. Nothing that authors can call is without an example.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.plugin import HubApi, Plugin, PluginConfig, Records, Secrets, Shelf
from hub.plugin.inspecting import HOOKS
from hub.plugin.loader import available
from hub.plugin.verdicts import VERDICTS
from hub.sandbox import Answer, objects
from hub.testing import CPO, EMSP, OTHER, Bench, bench
from hub.testing.samples import send_samples

PAGE = Path(__file__).resolve().parents[3] / "plugins" / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
TREE = ast.parse("\n\n".join(BLOCKS))
PLUGINS = [
    node.name
    for node in TREE.body
    if isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Plugin[") for base in node.bases)
]
R, S = Interface.RECEIVER, Interface.SENDER


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The page as a module, which another process finds too."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "readme_page.py").write_text("\n\n".join(BLOCKS), encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        yield import_module("readme_page")
    finally:
        sys.path.remove(str(folder))
        del sys.modules["readme_page"]


# ---- everything is in it


def called_or_defined() -> set[str]:
    found = {node.attr for node in ast.walk(TREE) if isinstance(node, ast.Attribute)}
    found |= {node.id for node in ast.walk(TREE) if isinstance(node, ast.Name)}
    return found | {node.name for node in ast.walk(TREE) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def public(*classes: type) -> set[str]:
    return {name for cls in classes for name, _ in inspect.getmembers(cls, inspect.isfunction) if name[0] != "_"}


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(public(Plugin), id="plugin"),
        pytest.param(public(HubApi) | set(HubApi.__annotations__), id="hub"),
        pytest.param(public(Shelf, Records, Secrets), id="what-lasts"),
        pytest.param({verdict.__name__ for verdict in VERDICTS}, id="verdicts"),
        pytest.param(set(HOOKS), id="hooks"),
    ],
)
def test_nothing_is_without_an_example(wanted: set[str]) -> None:
    assert wanted
    assert sorted(wanted - called_or_defined()) == []


def test_every_plugin_of_the_page_is_tried_here() -> None:
    tried = set(re.findall(r"page\.([A-Z]\w+)", Path(__file__).read_text()))
    assert len(PLUGINS) > 7
    assert sorted(set(PLUGINS) - tried) == ["QuietNights"]  # the page has a test of it itself


def test_every_word_of_the_page_that_plugins_import_exists(page: ModuleType) -> None:
    import hub.plugin

    imported = {
        alias.name
        for node in TREE.body
        if isinstance(node, ast.ImportFrom) and node.module == "hub.plugin"
        for alias in node.names
    }
    assert imported <= set(hub.plugin.__all__)


# ---- the first ten minutes


def test_the_first_block_is_a_file_for_the_plugin_folder(tmp_path: Path) -> None:
    (tmp_path / "quiet_nights.py").write_text(BLOCKS[0])

    found = available(tmp_path)["quiet_nights"]

    assert found.problem is None
    assert found.plugin is not None


async def test_the_test_of_the_page(page: ModuleType) -> None:
    await page.test_nights_are_quiet()


# ---- what each does


async def with_samples(b: Bench) -> None:
    await send_samples(b, lambda: None)
    assert b.failures == {}


async def command(b: Bench, name: str, body: objects.Object) -> Answer:
    return await b.emsp.call("POST", names.COMMANDS, R, name, to=CPO, sender=EMSP, body=body)


async def test_steering(page: ModuleType) -> None:
    async with bench(page.Steering) as b:
        await b.cpo.publish(names.LOCATIONS, objects.location(CPO))
        await b.settle()
        assert (len(b.emsp.received), len(b.other.received)) == (1, 0)

        await b.cpo.publish(names.SESSIONS, objects.session(CPO, driver=OTHER), to=OTHER)
        assert [one.to for one in b.emsp.received.of(names.SESSIONS)] == [EMSP]

        b.cpo.own.put(names.TARIFFS, objects.tariff(CPO))
        answer = await b.emsp.call("GET", names.TARIFFS, S, to=CPO, sender=EMSP)
        assert (answer.status_code, answer.data, len(b.cpo.received)) == (1000, [], 0)
        await with_samples(b)


async def test_editing(page: ModuleType) -> None:
    async with bench(page.Editing) as b:
        picture = {"url": "https://example.com/1.png", "category": "ENTRANCE", "type": "png"}
        location = objects.location(CPO) | {"images": [picture]}
        answer = await b.cpo.publish(names.LOCATIONS, location, to=EMSP)
        skipped = await b.cpo.publish(names.LOCATIONS, location, to=OTHER)
        assert b.emsp.received[0].data == objects.location(CPO)
        assert answer.headers["X-Outcome"] == "1000"
        assert (skipped.status_code, len(b.other.received)) == (4000, 0)

        await command(b, "UNLOCK_CONNECTOR", objects.unlock_connector(b.emsp.callback_url("1")))
        await b.settle()
        (result,) = b.emsp.received.of("callback")
        said = {"language": "en", "text": "UNLOCK_CONNECTOR: ACCEPTED"}
        assert result.data == {"result": "ACCEPTED", "message": [said]}
        await with_samples(b)


async def test_desk(page: ModuleType) -> None:
    async with bench(page.Desk) as b:
        answer = await command(b, "UNLOCK_CONNECTOR", objects.unlock_connector(b.emsp.callback_url("1")))
        assert answer.data["result"] == "ACCEPTED"
        await b.restart()
        await b.plugin.unlocked()
        await b.settle()
        assert [one.data for one in b.emsp.received.of("callback")] == [{"result": "ACCEPTED"}]
        assert await b.plugin.hub.shelf.keys() == []
        assert b.cpo.received.of(names.COMMANDS) == []
        await with_samples(b)


async def test_ledger(page: ModuleType) -> None:
    async with bench(page.Ledger) as b:
        for kwh in ("1.50", "2.25"):
            await b.cpo.publish(names.SESSIONS, objects.session(CPO, driver=EMSP, kwh=kwh), to=EMSP)
        await b.settle()
        assert await b.plugin.drawn("S1") == [Decimal("2.25"), Decimal("1.50")]

        await b.plugin.tidy()
        guard = b.incarnation(page.Ledger).guard
        guard.standing.hold()  # as if it were tripped
        await b.cpo.publish(names.SESSIONS, objects.session(CPO, driver=EMSP), to=EMSP)
        await b.settle()
        guard.standing.release()
        await b.cpo.publish(names.SESSIONS, objects.session(CPO, "S2", driver=EMSP), to=EMSP)
        await b.settle()
        assert [gap.lost for gap in b.plugin.gaps] == [1]
        await with_samples(b)


async def test_advisor(page: ModuleType) -> None:
    async with bench(page.Advisor) as b:
        advisor = "NL/ADV"
        refused = await b.cpo.call("GET", names.SESSIONS, S, to=advisor, sender=CPO)
        told = await b.cpo.publish(names.SESSIONS, objects.session(CPO, driver=EMSP), to=advisor)
        await b.until(lambda: b.plugin.results)

        assert (refused.ok, told.status_code) == (False, 1000)
        assert b.cpo.profiles.applied["S1"].profile["charging_rate_unit"] == "A"
        assert b.plugin.results == [("S1", "ACCEPTED")]

        await b.cpo.publish(names.LOCATIONS, objects.location(CPO))
        assert await b.plugin.known() == {"NL/CPO": ["LOC1"]}
        assert [await b.plugin.has(CPO, one) for one in ("LOC1", "LOC2")] == [True, False]

        # A list that the hub reads itself shows as a whole first, then by what has changed in it.
        platforms = (await b.admin("GET", "/platforms")).json["items"]
        at_cpo = next(one["id"] for one in platforms if one["name"] == "cpo")
        b.cpo.own.put(names.LOCATIONS, objects.location(CPO, "LOC2"))
        await b.admin("PATCH", f"/platforms/{at_cpo}", {"pull": {"locations": 60}})
        await b.admin("POST", f"/platforms/{at_cpo}/resync")
        await b.until(lambda: None in b.plugin.news)
        b.cpo.own.put(names.LOCATIONS, objects.location(CPO, "LOC3"))
        await b.admin("POST", f"/platforms/{at_cpo}/resync")
        await b.until(lambda: frozenset({"LOC3"}) in b.plugin.news)

        await b.other.unregister()
        await b.settle()
        assert b.plugin.gone == [OTHER]
        await with_samples(b)

        await b.admin("POST", "/plugins/advisor/disable")
        assert b.cpo.profiles.applied == {}


async def test_rhythm(page: ModuleType) -> None:
    async with bench(page.Rhythm) as b:
        await b.cpo.publish(names.LOCATIONS, objects.location(CPO))
        await b.settle()
        before = b.plugin
        await b.reload({"rhythm": {"hook_timeout": 2}})
        assert b.plugin is not before
        assert b.plugin.hours == before.hours != []

        await b.clock.jump(24 * 3600)
        await b.until(lambda: b.plugin.busiest is not None)
        assert b.plugin.busiest == 0
        await with_samples(b)


async def test_tally(page: ModuleType) -> None:
    async with bench(page.Tally) as b:
        for number in (1, 2):
            await b.cpo.call(
                "POST", names.CDRS, R, to=EMSP, sender=CPO, body=objects.cdr(CPO, f"C{number}", driver=EMSP)
            )
        await b.settle()

        counted = await b.plugin.hub.shelf.load("NL/CPO")
        assert counted is not None
        assert counted.value == 2
        assert await b.plugin.reset("NL/CPO")
        assert not await b.plugin.reset("NL/XXX")
        await with_samples(b)


class Door(Plugin[PluginConfig]):
    """Somebody else's server, which another plugin may ring at."""

    name = "door"

    def routes(self) -> list[Any]:
        from hub.plugin import Audience, Route

        return [Route("POST", "/door", self.opened, Audience.PLUGIN)]

    async def opened(self, request: Any) -> Any:
        from hub.plugin import HttpResponse

        self.said = request.headers["authorization"]
        return HttpResponse(204)


async def test_bell(page: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELL_KEY", "k-123")
    table = {"url": "http://127.0.0.1:9/nobody", "key": {"env": "BELL_KEY"}}
    async with bench(page.Bell, Door, config={"bell": table}) as b:
        await b.cpo.call("POST", names.CDRS, R, to=EMSP, sender=CPO, body=objects.cdr(CPO, driver=EMSP))
        await b.settle()
        alarms = (await b.admin("GET", "/alarms")).json["items"]
        assert [alarm["kind"] for alarm in alarms] == ["bell_silent"]
        assert not b.plugin.health().ok
        assert [panel.title for panel in b.plugin.panels()] == ["Bells"]

        await b.reload({"bell": table | {"url": f"{b.hub.url}/door"}})
        assert (await b.admin("POST", "/bell/nobody")).status == 404
        rung = await b.admin("POST", "/bell/porter")
        assert (rung.status, rung.json) == (202, {"misses": 0})
        assert b.plugin_of(Door).said == "Token k-123"
        assert len((await b.call("GET", "/bell")).json["key"]) == 8
        assert b'ocpi_hub_plugin_bell_rung_total{result="204"} 1.0' in (await b.call("GET", "/metrics")).body
        await with_samples(b)
