"""The bench: a real hub with the plugins it was given, settled when it says so, the same after a restart."""

import asyncio
import os
from collections.abc import Iterable
from typing import Any

import pytest

from hub.errors import SettingsError
from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin import Audience, Exchange, HttpRequest, HttpResponse, Phase, Plugin, PluginConfig, Route, Watch
from hub.sandbox import objects
from hub.testing import CPO, EMSP, HUB, OTHER, Bench, NotRunning, bench

R = Interface.RECEIVER


class NotebookConfig(PluginConfig):
    page: str = "first"


class Notebook(Plugin[NotebookConfig]):
    """Writes down what has passed, slowly: a save for each."""

    name = "notebook"
    Config = NotebookConfig

    def watches(self) -> Iterable[Watch]:
        return [Watch({Phase.FINISHED})]

    async def on_finished(self, exchange: Exchange) -> None:
        kept = await self.hub.shelf.load(self.config.page)
        written = [] if kept is None else kept.value
        await self.hub.shelf.save(self.config.page, [*written, f"{exchange.method} {exchange.module}"])

    async def written(self) -> list[str]:
        kept = await self.hub.shelf.load(self.config.page)
        return [] if kept is None else list(kept.value)

    def routes(self) -> Iterable[Route]:
        return [
            Route("POST", "/notebook/{page}", self.served),
            Route("GET", "/notebook", self.plain, Audience.PUBLIC),
        ]

    async def served(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(201, {"page": request.params["page"], "said": request.json()})

    async def plain(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=b"a notebook", content_type="text/plain")


class Other(Plugin[PluginConfig]):
    name = "other_one"


class Hopeless(Plugin[PluginConfig]):
    name = "hopeless"

    async def start(self) -> None:
        raise RuntimeError("no luck")


async def publish(b: Bench) -> None:
    answer = await b.cpo.publish(names.LOCATIONS, objects.location(CPO))
    assert answer.ok, answer


async def test_three_platforms_are_registered_and_have_received_nothing() -> None:
    async with bench() as b:
        parties = {str(role.party): role.role for one in b.hub.registry.snapshot.platforms for role in one.roles}
        assert parties == {"NL/CPO": "CPO", "NL/MSP": "EMSP", "DE/MSP": "EMSP"}
        assert [platform.parties for platform in b.platforms] == [[CPO], [EMSP], [OTHER]]
        assert [len(platform.received) for platform in b.platforms] == [0, 0, 0]
        assert b.hub.identity.party == HUB


async def test_a_fourth_platform_joins_is_settled_with_the_others_and_ends_with_the_bench() -> None:
    second = PartyId("NL", "SND")
    async with bench() as b:
        joined = await b.join("second", Role.CPO, second)
        assert (joined.parties, len(joined.received)) == ([second], 0)
        body = objects.set_charging_profile(b.emsp.callback_url("set"))
        await b.emsp.call("PUT", names.CHARGING_PROFILES, R, "S1", to=second, sender=EMSP, body=body)
        await b.settle()
        assert [one.data for one in b.emsp.received.of(method="POST")] == [{"result": "ACCEPTED"}]
        port = joined.port
    with pytest.raises(OSError, match=r"Connect call failed|refused"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_settled_means_that_everybody_was_told_and_everything_is_stored() -> None:
    async with bench(Notebook) as b:
        before = len(await b.plugin.written())
        for _ in range(5):
            await publish(b)
        await b.settle()

        assert len(b.emsp.received.of(names.LOCATIONS, method="PUT")) >= 1
        assert (await b.plugin.written())[before:] == ["PUT locations"] * 5


async def test_settled_means_that_results_have_come_home() -> None:
    async with bench() as b:
        body = objects.unlock_connector(b.emsp.callback_url("1"))
        await b.emsp.call("POST", names.COMMANDS, R, "UNLOCK_CONNECTOR", to=CPO, sender=EMSP, body=body)
        await b.settle()
        assert [one.data for one in b.emsp.received.of("callback")] == [{"result": "ACCEPTED"}]


async def test_a_restart_keeps_data_address_and_registrations() -> None:
    async with bench(Notebook, Other) as b:
        await publish(b)
        await b.settle()
        url, first, written = b.hub.url, b.plugin, await b.plugin.written()

        await b.restart()

        assert b.hub.url == url
        assert b.plugin is not first
        assert await b.plugin.written() == written != []
        await publish(b)
        assert isinstance(b.plugin_of(Other), Other)


async def test_a_reload_gives_another_configuration_or_changes_nothing() -> None:
    async with bench(Notebook, config={"notebook": {"page": "one"}}) as b:
        await b.reload({"notebook": {"page": "two"}})
        assert b.plugin.config.page == "two"

        with pytest.raises(SettingsError, match=r"plugin\.notebook\.paeg is not a key .*; the nearest one is page"):
            await b.reload({"notebook": {"paeg": "three"}})

        assert b.plugin.config.page == "two"
        await b.restart()
        assert b.plugin.config.page == "two"


async def test_calls_of_the_admin_api_and_of_routes() -> None:
    async with bench(Notebook) as b:
        listed = await b.admin("GET", "/platforms?limit=2")
        assert (listed.status, len(listed.json["items"])) == (200, 2)
        served = await b.admin("POST", "/notebook/7", {"x": 1})
        assert (served.status, served.json) == (201, {"page": "7", "said": {"x": 1}})
        plain = await b.call("GET", "/notebook")
        assert (plain.status, plain.json, plain.body) == (200, None, b"a notebook")
        assert (await b.call("GET", "/admin/v1/platforms")).status == 401


async def test_a_plugin_that_cannot_run_is_told_with_the_reason() -> None:
    class Nameless(Plugin[PluginConfig]):
        pass

    with pytest.raises(NotRunning, match="hopeless did not start: RuntimeError: no luck"):
        async with bench(Hopeless):
            raise AssertionError
    with pytest.raises(NotRunning, match=r"Nameless\.name is missing"):
        async with bench(Nameless):
            raise AssertionError
    with pytest.raises(SettingsError, match=r"the bench: plugin\.notebook\.page must be a text"):
        async with bench(Notebook, config={"notebook": {"page": 5}}):
            raise AssertionError


async def test_nothing_is_left_behind() -> None:
    async with bench(Notebook) as b:
        folder = os.fspath(b.hub.settings.data_dir)
        await publish(b)
        sockets = [platform.port for platform in b.platforms] + [b.hub.settings.port]
    assert not await asyncio.to_thread(os.path.exists, folder)
    for port in sockets:
        with pytest.raises(OSError, match=r"Connect call failed|refused"):
            await asyncio.open_connection("127.0.0.1", port)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


class Clumsy(Plugin[PluginConfig]):
    name = "clumsy"

    def watches(self) -> Iterable[Watch]:
        return [Watch({Phase.ROUTED}, modules={names.LOCATIONS})]

    def on_routed(self, exchange: Exchange) -> Any:
        raise ValueError("oops")


async def test_failures_are_counted_by_hook_and_kind() -> None:
    async with bench(Clumsy) as b:
        await publish(b)
        await publish(b)
        assert b.failures == {("clumsy", "on_routed", "raised"): 2}


async def test_until_waits_for_what_the_bench_cannot_see() -> None:
    async with bench() as b:
        elsewhere = asyncio.get_running_loop().run_in_executor(None, sum, [1, 2])
        await b.until(elsewhere.done)
        assert elsewhere.result() == 3
        with pytest.raises(TimeoutError):
            await b.until(lambda: False, timeout_s=0.02)
