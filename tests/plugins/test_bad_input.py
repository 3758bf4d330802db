"""What an operator or an author got wrong stops the start with one sentence; what a plugin may not do, it cannot."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from hub.errors import SettingsError
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin import (
    Exchange,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    LocalParty,
    NotAllowed,
    Phase,
    Plugin,
    PluginConfig,
    Route,
    Watch,
)
from tests.plugins.hosting import hosting, put_session, running
from tests.plugins.reloading import Counting, Secretive


class Base(Plugin[PluginConfig]):
    name = "base"

    async def page(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(body=1)


class TooNew(Base):
    name = "too_new"
    api = ">=2"


class HookWithoutWatch(Base):
    name = "hook_without_watch"

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.FINISHED})

    def on_finished(self, exchange: Exchange) -> None:
        return None

    def on_routed(self, exchange: Exchange) -> None:
        return None


class WatchWithoutHook(Base):
    name = "watch_without_hook"

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.ROUTED})


class OneRoute(Base):
    name = "one_route"

    def routes(self) -> Iterable[Route]:
        yield Route("GET", "/shared/one", self.page)


class SameRoute(Base):
    name = "same_route"

    def routes(self) -> Iterable[Route]:
        yield Route("GET", "/shared/two", self.page)


class HubsRoute(Base):
    name = "hubs_route"

    def routes(self) -> Iterable[Route]:
        yield Route("GET", "/platforms/mine", self.page)


class Misspelt(Base):
    name = "misspelt"

    def on_recieved(self, exchange: Exchange) -> None:
        return None


WRONG: list[tuple[tuple[type[Plugin[Any]], ...], dict[str, Any], dict[str, Any], list[str]]] = [
    ((), {}, {"plugins": ("nobody",)}, ["nobody", "not there"]),
    ((Counting,), {"counting": {"stp": 1}}, {}, ["plugin.counting.stp", "step"]),
    ((Counting,), {"counting": {"step": "x"}}, {}, ["plugin.counting.step", "integer"]),
    ((Secretive,), {}, {}, ["plugin.secretive.password"]),
    ((Secretive,), {"secretive": {"password": {"env": "NO_SUCH_VARIABLE_HERE"}}}, {}, ["NO_SUCH_VARIABLE_HERE"]),
    ((Secretive,), {"secretive": {"password": "plain"}}, {}, ["plugin.secretive.password", "env"]),
    ((HookWithoutWatch,), {}, {}, ["hook_without_watch", "on_routed"]),
    ((WatchWithoutHook,), {}, {}, ["watch_without_hook", "on_routed"]),
    ((OneRoute, SameRoute), {}, {}, ["one_route", "same_route", "/shared"]),
    ((HubsRoute,), {}, {}, ["hubs_route", "/platforms"]),
]


@pytest.mark.parametrize(("plugins", "tables", "settings", "said"), WRONG, ids=[" ".join(row[3]) for row in WRONG])
async def test_the_start_stops_with_one_sentence(
    tmp_path: Path,
    plugins: tuple[type[Plugin[Any]], ...],
    tables: dict[str, Any],
    settings: dict[str, Any],
    said: list[str],
) -> None:
    with pytest.raises(SettingsError) as refused:
        async with hosting(tmp_path, *plugins, config=tables, **settings):
            pass
    text = str(refused.value)
    assert all(word in text for word in said), text
    assert "plain" not in text


@pytest.mark.parametrize("plugin", [TooNew, Misspelt])
def test_a_class_that_cannot_run_is_known_before(plugin: type[Plugin[Any]]) -> None:
    from hub.plugin.inspecting import problems_of_class

    (problem,) = problems_of_class(plugin)
    assert {"TooNew": ">=2", "Misspelt": "on_received"}[plugin.__name__] in problem


class Playing(Base):
    name = "playing"

    def parties(self) -> Iterable[LocalParty]:
        yield LocalParty(Role.SCSP, "NL", "ONE", "One")
        yield LocalParty(Role.EMSP, "NL", "TWO", "Two")


class Taken(Base):
    """Wants a party that a platform has."""

    name = "taken"

    def parties(self) -> Iterable[LocalParty]:
        yield LocalParty(Role.CPO, "NL", "CPA", "Not yours")


async def test_a_plugin_speaks_for_nobody_it_does_not_play(tmp_path: Path) -> None:
    async with hosting(tmp_path, Playing) as (hub, _):
        api = running(hub, Playing).hub
        to, module = PartyId("NL", "CPA"), "locations"
        with pytest.raises(NotAllowed, match="does not play NL/EMA"):
            await api.send(to, module, Interface.SENDER, "GET", "L", as_party=PartyId("NL", "EMA"))
        with pytest.raises(NotAllowed, match="say which one"):
            await api.send(to, module, Interface.SENDER, "GET", "L")
        with pytest.raises(NotAllowed, match="not of this plugin"):
            await api.deliver("0" * 32, {"result": "ACCEPTED"})
        assert (await api.send(to, module, Interface.SENDER, "GET", "L", as_party=PartyId("NL", "TWO"))).http == 404


async def test_a_party_that_a_platform_has_cannot_be_played(tmp_path: Path) -> None:
    async with hosting(tmp_path, Base, also=[Taken]) as (hub, world):
        with pytest.raises(SettingsError, match="cpa"):
            await hub.plugins.choose(hub.plugins.choices.with_enabled("taken"))
        assert [one.name for one in hub.plugins.running] == ["base"]
        assert hub.plugins.choices.enabled == ()
        assert (await put_session(world)).status_code == 1000


async def test_the_guard_of_addresses_holds_for_plugins(tmp_path: Path) -> None:
    async with hosting(tmp_path, Playing, only=(), allowed_networks=()) as (hub, _):
        api = running(hub, Playing).hub
        with pytest.raises(NotAllowed):
            await api.http("GET", f"{hub.url}/metrics")
        with pytest.raises(NotAllowed):
            await api.http("GET", "http://169.254.169.254/latest/meta-data")
        with pytest.raises(NotAllowed):
            await api.http("GET", "file:///etc/passwd")


async def test_http_of_a_plugin(tmp_path: Path) -> None:
    async with hosting(tmp_path, Playing) as (hub, world):
        api = running(hub, Playing).hub
        answer = await api.http("GET", world["P1"].versions_url, headers={"Authorization": "Token x"})
        assert answer.status == 401
        await world["P1"].stop()
        with pytest.raises(HttpFailed) as failed:
            await api.http("GET", world["P1"].versions_url)
        assert not failed.value.sent


def test_a_secret_is_masked() -> None:
    config = Secretive.Config.model_construct(password=SecretStr("hush"))
    assert "hush" not in repr(config)
    assert "hush" not in str(config.public())
