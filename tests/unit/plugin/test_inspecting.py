"""Mistakes in a plugin's class, watches and routes are told in a sentence, and what is right is left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest

from hub.plugin import (
    API_VERSION,
    Audience,
    Delivery,
    Exchange,
    Gap,
    HttpRequest,
    HttpResponse,
    HubApi,
    Phase,
    Plugin,
    PluginConfig,
    Route,
    Watch,
)
from hub.plugin.inspecting import overridden, problems_of_class, problems_of_routes, problems_of_watches


class Quiet(Plugin[PluginConfig]):
    name = "quiet"

    async def on_routed(self, exchange: Exchange) -> None:
        return None

    def on_finished(self, exchange: Exchange) -> None:
        return None


def made(cls: type[Plugin[Any]]) -> Plugin[Any]:
    return cls(cls.Config(), cast("HubApi", None))  # nothing that is looked at here turns to the hub


def class_with(**members: object) -> type[Plugin[Any]]:
    return type("Odd", (Plugin,), {"name": "odd", **members})


# ---- the class


def test_a_class_without_mistakes_has_none() -> None:
    assert problems_of_class(Quiet) == []


def test_what_is_right_in_another_form_is_right() -> None:
    def hook_with_more(self: object, exchange: Exchange, *, by: int = 0) -> None: ...
    def any_arguments(*arguments: object) -> None: ...
    def watches(self: object) -> Iterator[Watch]:
        yield Watch(frozenset({Phase.ROUTED}))

    right = class_with(
        on_routed=hook_with_more,
        on_finished=staticmethod(lambda exchange: None),
        on_answered=any_arguments,
        watches=watches,
        on_call=3,  # no method
        __init__=lambda self, config, hub, clock=None: None,
    )
    assert problems_of_class(right) == []


@pytest.mark.parametrize("name", ["Odd", "1odd", "odd-one", "", "o" * 41, 7])
def test_a_name_that_cannot_be_used(name: object) -> None:
    (problem,) = problems_of_class(class_with(name=name))
    assert problem == (
        f"Odd.name is {name!r}: give it at most 40 lower case letters, digits and underscores, a letter first"
    )


def test_a_name_that_is_missing() -> None:
    (problem,) = problems_of_class(type("Odd", (Plugin,), {}))
    assert problem.startswith("Odd.name is missing: ")


def test_a_hook_that_does_not_exist_names_the_nearest() -> None:
    def hook(self: object, exchange: Exchange) -> None: ...

    assert problems_of_class(class_with(on_recieved=hook)) == [
        "Odd.on_recieved is no hook; the nearest one is on_received; a method of your own starts otherwise"
    ]


def test_hooks_must_take_what_they_are_given() -> None:
    def bare(self: object) -> None: ...
    def one(self: object, exchange: Exchange) -> None: ...
    def two(self: object, exchange: Exchange, leg: object) -> None: ...

    assert problems_of_class(class_with(on_received=bare, on_answered=one, on_finished=two, start=one)) == [
        "Odd.start must take (self)",
        "Odd.on_received must take (self, exchange)",
        "Odd.on_answered must take (self, exchange, leg)",
        "Odd.on_finished must take (self, exchange)",
    ]


def test_a_hook_is_no_generator_and_no_value() -> None:
    def generator(self: object, exchange: Exchange) -> Iterator[None]:
        yield

    async def async_generator(self: object, exchange: Exchange) -> AsyncIterator[None]:
        yield

    problems = problems_of_class(class_with(on_received=generator, on_routed=async_generator, on_finished=None))

    assert [problem.partition(":")[0] for problem in problems] == [
        "Odd.on_received must return its value",
        "Odd.on_routed must return its value",
        "Odd.on_finished must be a method, or be left out",
    ]


@pytest.mark.parametrize("config", [dict, PluginConfig(), None])
def test_config_must_be_a_model_of_ours(config: object) -> None:
    assert problems_of_class(class_with(Config=config)) == ["Odd.Config must be a class derived from PluginConfig"]


def test_a_plugin_is_made_from_config_and_hub() -> None:
    def too_few(self: object, config: PluginConfig) -> None: ...
    def too_many(self: object, config: PluginConfig, hub: HubApi, clock: object) -> None: ...

    for init in (too_few, too_many):
        (problem,) = problems_of_class(class_with(__init__=init))
        assert problem.startswith("Odd.__init__ must take (self, config, hub)")


@pytest.mark.parametrize("api", [">=1,<2", ">= 1.0 , < 2", "==1", "==1.0", "<=1", "!=2", ">0,!=0.9", ">=1.0,<1.1"])
def test_versions_of_the_api_that_fit(api: str) -> None:
    assert API_VERSION == (1, 0)
    assert problems_of_class(class_with(api=api)) == []


@pytest.mark.parametrize("api", [">=2", "<1", "==2", "!=1", "!=1.0", ">1", ">=1.1", ">=1,<1.0", "==0.9", "<=0"])
def test_versions_of_the_api_that_do_not_fit(api: str) -> None:
    (problem,) = problems_of_class(class_with(api=api))
    assert problem.startswith(f"Odd.api asks for {api}, and this hub has 1.0: ")


@pytest.mark.parametrize("api", ["", "1", "~=1.0", ">=1,", ">=1.0.0", "=>1", ">=x", 1, None])
def test_versions_of_the_api_that_cannot_be_read(api: object) -> None:
    assert problems_of_class(class_with(api=api)) == [f"Odd.api cannot be read: {api!r} is not of the form '>=1,<2'"]


# ---- its watches


def test_watches_that_fit_the_hooks() -> None:
    both = frozenset({Phase.ROUTED, Phase.FINISHED})
    watches = [
        Watch(both, modules=frozenset({"own_module"}), methods=frozenset({"PUT", "PATCH"}), delivery=Delivery.LOSSLESS),
        Watch({Phase.ROUTED}),
    ]
    assert problems_of_watches(made(Quiet), watches) == []


def test_without_any_watch_no_hook_is_missed() -> None:
    assert problems_of_watches(made(Quiet), []) == []


def test_a_hook_is_overridden_in_the_class_or_in_the_instance() -> None:
    plugin = made(Quiet)
    assert overridden(plugin, "on_routed")
    assert not overridden(plugin, "on_received")
    plugin.on_received = lambda exchange: None  # type: ignore[method-assign]
    assert overridden(plugin, "on_received")


def test_watches_and_hooks_must_meet() -> None:
    assert problems_of_watches(made(Quiet), [Watch({Phase.ROUTED, Phase.ANSWERED})]) == [
        "a watch asks for Phase.ANSWERED, and there is no on_answered: write it, or leave the phase out",
        "on_finished is never called: add Phase.FINISHED to the phases of a watch",
    ]


def test_hooks_without_a_phase_need_no_watch() -> None:
    class Listening(Plugin[PluginConfig]):
        name = "listening"

        def on_finished(self, exchange: Exchange) -> None: ...
        def on_gap(self, gap: Gap) -> None: ...
        def on_callback(self, context: object, result: object) -> None: ...
        def on_party_changed(self, change: object) -> None: ...

    assert problems_of_watches(made(Listening), [Watch({Phase.FINISHED})]) == []


BOTH = frozenset({Phase.ROUTED, Phase.FINISHED})


@pytest.mark.parametrize(
    ("watch", "problem"),
    [
        ({"phases": BOTH}, "watches() gives {'phases': "),
        (Watch(frozenset()), "a watch has no phases"),
        (Watch(cast("Any", Phase.ROUTED)), "a watch has the phases <Phase.ROUTED: 'routed'>: make them a set"),
        (Watch(cast("Any", {"sent"})), "a watch has the phases {'sent'}: make them a set"),
        (Watch(BOTH, modules=cast("Any", "tariffs")), "a watch has modules='tariffs': make it a set, {'tariffs'}"),
        (Watch(BOTH, methods=cast("Any", "PUT")), "a watch has methods='PUT': make it a set, {'PUT'}"),
        (Watch(BOTH, methods={"put"}), "a watch asks for the method put: those of OCPI are GET, POST,"),
        (Watch(BOTH, max_body=0), "a watch has max_body=0: "),
        (Watch({Phase.ROUTED}, delivery=Delivery.LOSSLESS), "a watch is LOSSLESS without Phase.FINISHED: "),
    ],
)
def test_a_watch_that_cannot_be_meant(watch: object, problem: str) -> None:
    problems = problems_of_watches(made(Quiet), [watch, Watch(BOTH)])

    assert len(problems) == 1
    assert problems[0].startswith(problem)


# ---- its routes


async def serve(request: HttpRequest) -> HttpResponse:
    return HttpResponse(204)


def test_routes_that_can_be_served() -> None:
    routes = [
        Route("GET", "/grid", serve),
        Route("PUT", "/grid/groups/{group}", serve),
        Route("GET", "/grid/groups/{group}", serve),
        Route("GET", "/grid/groups/{group}", serve, Audience.PUBLIC),
    ]
    assert problems_of_routes(routes) == []


@pytest.mark.parametrize(
    "path", ["", "grid", "/", "//grid", "/{group}", "/{group}/grid", "/grid/{a b}", "/grid/{}", "/grid/x{y}", "/grid?a"]
)
def test_a_path_begins_with_a_part_of_its_own(path: str) -> None:
    assert problems_of_routes([Route("GET", path, serve)]) == [
        f"the route GET {path} must be like /name/{{part}}: a slash, and first a part that is the plugin's own"
    ]


def test_routes_have_a_method_and_stand_once() -> None:
    routes: list[object] = [
        Route("get", "/grid", serve),
        Route("GET", "/grid/{group}", serve),
        Route("GET", "/grid/{name}", serve),
        serve,
    ]

    first, second, third = problems_of_routes(routes)

    assert first.startswith("the route get /grid has no method that a route can have: take one of GET, POST,")
    assert second == "the route GET /grid/{name} is there twice for admin: remove one"
    assert third.startswith("routes() gives <function serve")
