"""What operators see of plugins and do with them, at a running hub with plugins of these tests alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub import app
from hub.app import Given, RunningHub
from hub.broker.plugins.choices import ChoiceBook
from hub.broker.plugins.overview import families
from hub.errors import SettingsError
from hub.metrics import Metrics
from hub.plugin import Plugin
from hub.plugin.loader import Available
from hub.settings import Settings
from tests.admin_api.conftest import Operator
from tests.admin_api.some_plugins import Counting, Failing, Forgetful, NotStarting, Unwell, Wordless
from tests.hubs import test_settings
from tests.waiting import until

INSTALLED: list[type[Plugin[Any]]] = [Counting, Failing, NotStarting, Unwell, Wordless, Forgetful]
BROKEN = Available("broken", None, "a test", "importing it fails with NameError: name 'x' is not defined")


class Site:
    """The settings file of a hub, which its operator may change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changes: dict[str, Any] = {"plugins": ("counting",)}
        self.wrong = ""

    def settings(self) -> Settings:
        if self.wrong:
            raise SettingsError(self.wrong)
        return test_settings(self.folder, **self.changes)

    @asynccontextmanager
    async def open(self, *names: str, **tables: Any) -> AsyncIterator[tuple[RunningHub, Operator]]:
        """The hub running with these plugins, from a start to a stop."""
        if names:
            self.changes = {"plugins": names, "plugin": tables}
        found = [Available(one.name, one, "a test") for one in INSTALLED]
        given = Given(self.settings, "hub.toml", [*found, BROKEN])
        async with app.running(self.settings(), given=given) as hub, aiohttp.ClientSession() as session:
            yield hub, Operator(hub.url, session)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


async def ask_for_versions(admin: Operator, times: int) -> None:
    """Requests without a token: each is an exchange, finished as soon as it is refused."""
    for _ in range(times):
        async with admin.session.get(f"{admin.url}/ocpi/versions") as answer:
            assert answer.status == 401


def instance(hub: RunningHub, name: str) -> Plugin[Any]:
    one = hub.plugins.one(name)
    assert one is not None
    return one.plugin


async def states(admin: Operator) -> dict[str, str]:
    return {row["name"]: row["state"] for row in (await admin.get("/plugins")).body["items"]}


async def test_every_plugin_is_listed_with_its_state(site: Site) -> None:
    async with site.open("unwell", "counting", "not_starting", "failing") as (_, admin):
        page = (await admin.get("/plugins")).body

    rows = {row["name"]: row for row in page["items"]}
    assert list(rows) == sorted(rows)
    assert {name: (row["state"], row["place"]) for name, row in rows.items() if row["origin"] == "a test"} == {
        "unwell": ("RUNNING", 1),
        "counting": ("RUNNING", 2),
        "not_starting": ("FAILED", 3),
        "failing": ("RUNNING", 4),
        "wordless": ("OFF", None),
        "forgetful": ("OFF", None),
        "broken": ("BROKEN", None),
    }
    assert "nobody at home" in rows["not_starting"]["why"]
    assert rows["not_starting"]["health"]["ok"] is False
    assert rows["broken"]["why"] == BROKEN.problem
    assert rows["wordless"]["why"] == "the settings do not name it"
    assert (page["order"]["finished"], page["order"]["routed"]) == (["counting", "failing"], [])
    assert rows["failing"]["order"] == {"finished": 2}


async def test_the_list_page_by_page(site: Site) -> None:
    async with site.open("counting") as (_, admin):
        whole = [row["name"] for row in (await admin.get("/plugins")).body["items"]]
        first = (await admin.get("/plugins", limit="4")).body
        second = (await admin.get("/plugins", after=first["next"])).body
        wrong = await admin.get("/plugins", after="?")

    assert [row["name"] for row in first["items"]] == whole[:4]
    assert ([row["name"] for row in second["items"]], second["next"]) == (whole[4:], None)
    assert (wrong.status, wrong.pointers) == (422, ["?after"])


async def test_one_plugin_is_shown_with_what_it_does(site: Site) -> None:
    async with site.open("counting") as (hub, admin):
        await ask_for_versions(admin, 3)
        await until(lambda: instance(hub, "counting").health().facts["count"] == 3)

        row = (await admin.get("/plugins/counting")).body

    assert (row["state"], row["why"], row["origin"], row["api"]) == ("RUNNING", "", "a test", ">=1,<2")
    assert row["health"] == {"ok": True, "text": "counting goes well", "facts": {"count": 3}}
    assert row["watches"] == ["finished: GET of every module; lossless"]
    assert row["routes"] == [{"method": "GET", "path": "/counting/now", "audience": "admin", "summary": "How many"}]
    assert row["parties"] == [{"role": "NSP", "country_code": "NL", "party_id": "CNT", "name": "Counting"}]
    assert row["inbox"] == {"waiting": 0, "dropped": 0, "gaps": 0}
    timing = row["hooks"]["on_finished"]
    assert (timing["calls"], timing["failures"], timing["suspended"], timing["verdicts"]) == (3, 0, 0, {})
    assert 0 < timing["mean_ms"] <= timing["most_ms"]


async def test_a_tripped_plugin_says_why(site: Site) -> None:
    async with site.open("failing", "counting") as (_, admin):
        await ask_for_versions(admin, 7)

        async def tripped() -> bool:
            return (await states(admin))["failing"] == "TRIPPED"

        await until(tripped)
        row = (await admin.get("/plugins/failing")).body

    assert row["why"] == "left alone for a while: on_finished failed 5 times in a row"
    assert (row["trips"], row["failures"], row["hooks"]["on_finished"]["failures"]) == (1, 5, 5)
    assert row["hooks"]["on_finished"]["calls"] == 5


async def test_a_plugin_that_cannot_say_how_it_is(site: Site) -> None:
    async with site.open("unwell", "wordless") as (_, admin):
        unwell, wordless = [(await admin.get(f"/plugins/{name}")).body for name in ("unwell", "wordless")]

    assert (unwell["state"], unwell["health"]["ok"]) == ("RUNNING", False)
    assert unwell["health"]["text"].startswith("health() fails: ValueError: ")
    assert "abcdef1234567890" not in unwell["health"]["text"]
    assert wordless["health"] == {"ok": False, "text": "health() gives coroutine, not a Health", "facts": {}}


async def test_panels(site: Site) -> None:
    async with site.open("counting", "unwell", "wordless", "not_starting") as (_, admin):
        counting = (await admin.get("/plugins/counting/panels")).body
        half = (await admin.get("/plugins/unwell/panels")).body
        problems = [
            (await admin.get(f"/plugins/{name}/panels")).body["problem"]
            for name in ("wordless", "not_starting", "forgetful")
        ]

    counts, types = counting["items"]
    assert counting["problem"] is None
    assert (counts["title"], counts["columns"]) == ("Counts", ["What", "Count"])
    assert counts["rows"] == [["finished", 0], ["share", 0.5]]
    assert types["rows"] == [[str(Counting)]]
    assert (half["items"][0]["rows"], half["items"][0]["problem"]) == ([], "its rows fail: KeyError: 'row'")
    assert problems[0] == "panels() fails: ValueError: no tables today"
    assert "nobody at home" in problems[1]
    assert problems[2] == "it does not run"


async def test_a_new_configuration_counts_at_once_and_state_is_kept(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COUNTING_PASSWORD", "sesame")
    table = {"share": 0.25, "password": {"env": "COUNTING_PASSWORD"}}
    async with site.open("counting", counting={"limits": [{"module": "cdrs", "per_s": 1.5}]}) as (hub, admin):
        settings = (await admin.get("/plugins/counting/config")).body
        await ask_for_versions(admin, 2)
        await until(lambda: instance(hub, "counting").health().facts["count"] == 2)
        old = instance(hub, "counting")

        reply = await admin.call("PUT", "/plugins/counting/config", table)

        new = instance(hub, "counting")
        assert (new is old, new.health().facts["count"], new.config.password.get_secret_value()) == (False, 2, "sesame")
        assert "sesame" not in reply.text
    async with site.open() as (_, admin):
        restarted = (await admin.get("/plugins/counting/config")).body
        gone = (await admin.call("DELETE", "/plugins/counting/config")).body

    assert (settings["set_by"], settings["given"]) == ("settings", ["limits"])
    assert settings["values"]["limits"] == [{"module": "cdrs", "per_s": 1.5}]
    assert (reply.status, reply.body["set_by"], reply.body["given"]) == (200, "operator", ["share", "password"])
    values = {"share": 0.25, "limits": [], "password": "**********", "fails": False}
    assert reply.body["values"] == values | {"on_error": "continue", "hook_timeout": 1.0}
    assert restarted == reply.body
    assert gone == settings


async def test_some_keys_are_changed_and_the_others_stay(site: Site) -> None:
    async with site.open("counting", counting={"share": 0.75, "hook_timeout": 2.5}) as (_, admin):
        one = (await admin.call("PATCH", "/plugins/counting/config", {"on_error": "reject"})).body
        back = (await admin.call("PATCH", "/plugins/counting/config", {"share": None})).body

    assert (one["given"], one["values"]["share"]) == (["share", "hook_timeout", "on_error"], 0.75)
    assert (back["given"], back["values"]["share"]) == (["hook_timeout", "on_error"], 0.5)


@pytest.mark.parametrize(
    ("table", "pointer", "told"),
    [
        ({"share": 1.5}, "/share", "plugin.counting.share must be a number of at least 0 and of at most 1, not 1.5"),
        ({"shares": 1}, "/shares", "plugin.counting.shares is not a key of the plugin counting; the nearest one is"),
        ({"limits": [{"module": "cdrs", "per_s": 0}]}, "/limits/0/per_s", "plugin.counting.limits[0].per_s must be"),
        ({"limits": [{"module": "cdrs"}]}, "/limits/0/per_s", "plugin.counting.limits[0].per_s must be set to"),
        ({"password": "hunter2"}, "/password", 'must be a table with one key: {env = "NAME"}'),
        ({"password": {"env": "NOT_SET_ANYWHERE"}}, "/password", "NOT_SET_ANYWHERE is not set"),
    ],
)
async def test_a_bad_configuration_is_refused_where_it_is_bad(
    site: Site, table: dict[str, Any], pointer: str, told: str
) -> None:
    async with site.open("counting") as (hub, admin):
        old = instance(hub, "counting")

        reply = await admin.call("PUT", "/plugins/counting/config", table)

        assert instance(hub, "counting") is old
        assert (await admin.get("/plugins/counting/config")).body["set_by"] == "settings"
    assert (reply.status, reply.pointers) == (400, [pointer])
    assert told in reply.body["title"]
    assert "hunter2" not in reply.text


async def test_a_configuration_it_does_not_start_with_leaves_the_old_one(site: Site) -> None:
    async with site.open("counting") as (hub, admin):
        old = instance(hub, "counting")

        reply = await admin.call("PUT", "/plugins/counting/config", {"fails": True})

        assert instance(hub, "counting") is old
        assert (await admin.get("/plugins/counting/config")).body["set_by"] == "settings"
    assert (reply.status, reply.body["title"].splitlines()) == (409, [reply.body["title"]])
    assert reply.body["title"].endswith("cannot run: RuntimeError: it is told to fail")
    assert reply.body["detail"].startswith("nothing has changed, and what ran goes on (")
    assert reply.body["detail"].endswith(" in start)")


async def test_the_configuration_of_a_plugin_that_is_off(site: Site) -> None:
    async with site.open("unwell", counting={"share": 0.75}) as (_, admin):
        before = (await admin.get("/plugins/counting/config")).body
        put = await admin.call("PUT", "/plugins/counting/config", {"share": 0.125})
        enabled = await admin.post("/plugins/counting/enable")
        after = (await admin.get("/plugins/counting/config")).body

    assert (before["values"]["share"], put.body["values"]["share"], after["values"]["share"]) == (0.75, 0.125, 0.125)
    assert enabled.body["state"] == "RUNNING"


async def test_the_schema_of_a_configuration(site: Site) -> None:
    async with site.open("unwell") as (_, admin):
        schema = (await admin.get("/plugins/counting/schema")).body

    assert set(schema["properties"]) == {"share", "limits", "password", "fails", "on_error", "hook_timeout"}
    assert (schema["properties"]["share"]["maximum"], schema["additionalProperties"]) == (1, False)


async def test_what_an_operator_switches_outlasts_a_restart(site: Site) -> None:
    async with site.open("counting", "failing") as (_, admin):
        on = await admin.post("/plugins/unwell/enable")
        off = await admin.post("/plugins/failing/disable")
        again = await admin.post("/plugins/failing/disable")
    async with site.open() as (_, admin):
        restarted = await states(admin)
        back = await admin.post("/plugins/failing/enable")

    assert (on.body["state"], on.body["place"]) == ("RUNNING", 3)
    assert (off.body["state"], off.body["why"]) == ("OFF", "an operator switched it off")
    assert again.body == off.body
    assert {name for name, state in restarted.items() if state == "RUNNING"} == {"counting", "unwell"}
    assert (back.body["state"], back.body["place"]) == ("RUNNING", 2)


async def test_a_reload_takes_the_settings_over(site: Site) -> None:
    async with site.open("counting", "failing") as (hub, admin):
        kept = instance(hub, "counting")
        site.changes = {"plugins": ("unwell", "counting")}

        reply = await admin.post("/plugins/reload")

        assert instance(hub, "counting") is kept
        assert (await states(admin))["failing"] == "OFF"
    assert (reply.status, reply.body["plugins"]) == (200, ["unwell", "counting"])
    assert reply.body["order"]["finished"] == ["counting"]


@pytest.mark.parametrize(
    ("changes", "wrong", "told"),
    [
        ({"plugins": ("counting", "not_starting")}, "", "nobody at home"),
        (
            {"plugins": ("countin",)},
            "",
            "plugins names countin, which is not there; the nearest one is counting",
        ),
        ({"plugins": ("broken",)}, "", "NameError"),
        ({"plugins": ("counting",), "plugin": {"counting": {"share": 2}}}, "", "plugin.counting.share must be"),
        ({}, "hub.toml cannot be read: it is not TOML", "hub.toml cannot be read: it is not TOML"),
    ],
)
async def test_a_reload_that_cannot_be_done_leaves_what_runs(
    site: Site, changes: dict[str, Any], wrong: str, told: str
) -> None:
    async with site.open("counting", "unwell") as (hub, admin):
        kept = hub.plugins.running
        site.changes, site.wrong = changes, wrong

        reply = await admin.post("/plugins/reload")

        assert hub.plugins.running == kept
        await ask_for_versions(admin, 1)
        await until(lambda: instance(hub, "counting").health().facts["count"] == 1)
    assert (reply.status, reply.body["detail"][:41]) == (409, "nothing has changed, and what ran goes on")
    assert told in reply.body["title"]


async def test_plugins_that_are_not_there_or_cannot_run(site: Site) -> None:
    calls = [
        ("GET", ""),
        ("GET", "/schema"),
        ("GET", "/config"),
        ("GET", "/panels"),
        ("PUT", "/config"),
        ("PATCH", "/config"),
        ("DELETE", "/config"),
        ("POST", "/enable"),
        ("POST", "/disable"),
    ]
    async with site.open("counting") as (_, admin):
        unknown = [await admin.call(method, f"/plugins/countin{tail}") for method, tail in calls]
        broken = [await admin.call(method, f"/plugins/broken{tail}") for method, tail in calls[1:-1]]
        reload_get = await admin.get("/plugins/reload")

    assert {reply.status for reply in unknown} == {404}
    assert {reply.body["title"] for reply in unknown} == {"There is no such plugin; the nearest one is counting"}
    assert {reply.status for reply in broken} == {409}
    assert all("NameError" in reply.body["title"] for reply in broken)
    assert reload_get.status == 404


async def test_another_node_that_was_faster(site: Site) -> None:
    async with site.open("counting") as (hub, admin):
        book = ChoiceBook(hub.store.shelf)
        await book.save((await book.load()).with_enabled("failing"))

        reply = await admin.post("/plugins/unwell/enable")

        assert reply.status == 409
        assert "try again" in reply.body["title"]


async def test_what_an_instance_leaves_behind_is_ended_and_counted(site: Site) -> None:
    async with site.open("forgetful") as (hub, admin):
        old = instance(hub, "forgetful")

        await admin.call("PUT", "/plugins/forgetful/config", {"hook_timeout": 2})

        new = instance(hub, "forgetful")
        assert isinstance(old, Forgetful)
        assert isinstance(new, Forgetful)
        assert (old.forgotten.cancelled(), new.forgotten.done()) == (True, False)
        assert (await admin.get("/plugins/forgetful")).body["leaked"] == 1


async def test_metrics_of_plugins(site: Site) -> None:
    async with site.open("counting", "not_starting") as (hub, admin):
        metrics = Metrics()
        metrics.source(lambda: families(hub.plugins))
        await ask_for_versions(admin, 2)
        await until(lambda: instance(hub, "counting").health().facts["count"] == 2)

        samples = {
            (sample.name, sample.labels["plugin"], sample.labels.get("hook")): sample.value
            for family in text_string_to_metric_families(metrics.expose().decode())
            for sample in family.samples
            if sample.name.startswith("ocpi_hub_plugin_")
        }

    assert samples["ocpi_hub_plugin_up", "counting", None] == 1
    assert samples["ocpi_hub_plugin_up", "not_starting", None] == 0
    assert samples["ocpi_hub_plugin_waiting", "counting", None] == 0
    assert samples["ocpi_hub_plugin_dropped_total", "counting", None] == 0
    assert samples["ocpi_hub_plugin_gaps_total", "counting", None] == 0
    assert samples["ocpi_hub_plugin_hook_calls_total", "counting", "on_finished"] == 2
    assert samples["ocpi_hub_plugin_hook_seconds_total", "counting", "on_finished"] > 0
