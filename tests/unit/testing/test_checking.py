"""The check finds every mistake that plugins are known for, and nothing in those that ship with the hub."""

import asyncio
import re
import time
from collections.abc import Iterable
from typing import Any

import pytest
from pydantic import Field

from hub.ocpi import names
from hub.ocpi.names import Role
from hub.plugin import (
    Answer,
    Body,
    Exchange,
    Health,
    HubApi,
    Leg,
    LocalParty,
    Panel,
    PartyRequest,
    Phase,
    Plugin,
    PluginConfig,
    Reject,
    Result,
    Watch,
)
from hub.testing import assert_plugin, check_plugin
from plugins.message_log import MessageLog
from plugins.rate_limit import RateLimit
from plugins.schema_check import SchemaCheck


class Sound(Plugin[PluginConfig]):
    """Does a little of everything, and nothing wrong."""

    name = "sound"

    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.seen = 0

    def parties(self) -> Iterable[LocalParty]:
        return [LocalParty(Role.EMSP, "NL", "SND", "Sound")]

    async def handle(self, request: PartyRequest) -> Answer:
        return Answer(data=request.body.value)

    def watches(self) -> Iterable[Watch]:
        return [Watch(set(Phase), request=Body.CHANGE, response=Body.READ)]

    def on_received(self, exchange: Exchange) -> None:
        self.seen += exchange.request.value is not None

    async def on_routed(self, exchange: Exchange) -> None:
        await self.hub.shelf.save("last", exchange.module)

    def on_forwarding(self, exchange: Exchange, leg: Leg) -> None:
        self.seen += leg.body.value is not None

    def on_answered(self, exchange: Exchange, leg: Leg) -> None:
        self.seen += leg.answer.value is not None

    def on_result(self, exchange: Exchange, result: Result) -> None:
        self.seen += result.body.value is not None

    def on_finished(self, exchange: Exchange) -> None:
        self.seen += exchange.answer.value is not None

    def panels(self) -> Iterable[Panel]:
        return [Panel("Seen", ("what", "how often"), lambda: [("all", self.seen)])]

    def export_state(self) -> int:
        return self.seen

    def import_state(self, state: int) -> None:
        self.seen = state


class One(Plugin[PluginConfig]):
    """For one mistake each."""

    name = "one"

    def watches(self) -> Iterable[Watch]:
        return [Watch({Phase.ROUTED}, modules={names.SESSIONS}, request=Body.READ)]

    def on_routed(self, exchange: Exchange) -> Any:
        return None


class Raises(One):
    def on_routed(self, exchange: Exchange) -> Any:
        return exchange.receivers["first"]  # type: ignore[call-overload]


class LooksUnasked(One):
    async def on_routed(self, exchange: Exchange) -> Any:
        return None

    def watches(self) -> Iterable[Watch]:
        return [*super().watches(), Watch({Phase.ANSWERED}, modules={names.CDRS})]

    def on_answered(self, exchange: Exchange, leg: Leg) -> Any:
        return leg.answer.value and None


class ChangesShared(One):
    async def on_routed(self, exchange: Exchange) -> Any:
        if exchange.method == "PUT":
            await self.hub.shelf.save("seen", True)
            exchange.request.value["seen"] = True


class WrongVerdict(One):
    def watches(self) -> Iterable[Watch]:
        return [Watch({Phase.RESULT})]

    on_routed = Plugin.on_routed

    def on_result(self, exchange: Exchange, result: Result) -> Any:
        return Reject()


class Slow(One):
    def on_routed(self, exchange: Exchange) -> Any:
        time.sleep(0.03)


class Leaks(One):
    async def start(self) -> None:
        self.task = asyncio.create_task(self.idle())

    async def idle(self) -> None:
        await asyncio.Event().wait()


class NeedsStart(One):
    async def start(self) -> None:
        self.open = True

    async def stop(self) -> None:
        del self.open


class StopsOnce(One):
    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.things = [1]

    async def stop(self) -> None:
        self.things.pop()


class Forgets(One):
    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.memory: list[str] | None = None

    async def start(self) -> None:
        self.memory = self.memory or (["something"] if self.config.hook_timeout == 1 else None)

    def export_state(self) -> Any:
        return self.memory


class CannotTakeOver(One):
    def export_state(self) -> Any:
        return 1

    def import_state(self, state: Any) -> None:
        raise KeyError(state)


class Unwell(One):
    def health(self) -> Health:
        return Health(facts={"when": object()})


class Crooked(One):
    def panels(self) -> Iterable[Panel]:
        return [Panel("Crooked", ("a", "b"), lambda: [(1,)])]


class FailsBeside(One):
    async def start(self) -> None:
        self.hub.spawn(self.work(), name="work")

    async def work(self) -> None:
        raise LookupError("nothing there")


class NoSchemaConfig(PluginConfig):
    lock: object = Field(default_factory=object)


class NoSchema(One):
    Config = NoSchemaConfig


class UnknownHook(One):
    def on_route(self, exchange: Exchange) -> None: ...


class NoHook(Plugin[PluginConfig]):
    name = "no_hook"

    def watches(self) -> Iterable[Watch]:
        return [Watch({Phase.ROUTED}), Watch({Phase.FINISHED})]


class NeedsConfig(PluginConfig):
    url: str


class Needy(One):
    Config = NeedsConfig


@pytest.mark.parametrize(
    ("plugin", "problems"),
    [
        (Raises, ["on_routed raised TypeError: tuple indices must be integers or slices, not str"]),
        (
            LooksUnasked,
            ["on_answered looks at a body that no watch of the plugin asks for: .*", "on_answered failed .*"],
        ),
        (ChangesShared, [r"on_routed changes exchange\.request\.value, which is everybody's: .*"]),
        (WrongVerdict, [r"on_result failed \d+ times \(nonsense\); the log says how"]),
        (Slow, [r"on_routed took \d+ ms, and the hub stood still: give such work to hub\.compute"]),
        (Leaks, [r"tasks that it started are still there after stop\(\): .*"]),
        (NeedsStart, [r"stop\(\) fails without a start: AttributeError.*"]),
        (StopsOnce, [r"stop\(\) fails a second time: IndexError.*"]),
        (Forgets, [r"export_state\(\) gives nothing after import_state\(\): .*"]),
        (CannotTakeOver, ["another configuration cannot be taken over: .* does not take over its state: KeyError.*"]),
        (Unwell, [r"health\(\) fails: TypeError.*"]),
        (Crooked, [r"the panel 'Crooked' has 2 columns and the row \(1,\)"]),
        (FailsBeside, [r"other failed 2 times \(raised\); the log says how"]),
        (NoSchema, [r"NoSchema\.Config cannot be shown to operators: .*"]),
        (UnknownHook, [r"UnknownHook\.on_route is no hook; the nearest one is on_routed; .*"]),
        (NoHook, ["a watch asks for Phase.ROUTED, .*", "a watch asks for Phase.FINISHED, .*"]),
        (Needy, [r"config: plugin\.one\.url must be set to a text"]),
    ],
)
async def test_a_mistake_is_found(plugin: type[Plugin[Any]], problems: list[str]) -> None:
    found = await check_plugin(plugin)
    assert len(found) == len(problems), found
    for problem, wanted in zip(found, problems, strict=True):
        assert re.fullmatch(wanted, problem, re.DOTALL), found


async def test_a_sound_plugin_has_no_problems() -> None:
    assert await check_plugin(Sound, {"hook_timeout": 2}) == []


@pytest.mark.parametrize(
    ("plugin", "config"),
    [
        (RateLimit, {"per_minute": 100_000}),
        (MessageLog, {"bodies": True}),
        (SchemaCheck, {"sample": 1.0}),
    ],
)
async def test_plugins_that_ship_with_the_hub_have_none(plugin: type[Plugin[Any]], config: dict[str, object]) -> None:
    assert await check_plugin(plugin, config) == []


async def test_a_configuration_may_be_given() -> None:
    assert await check_plugin(Needy, {"url": "https://example.com"}) == []


async def test_an_assertion_lists_the_problems() -> None:
    with pytest.raises(AssertionError, match=r"^NoHook has problems:\n- a watch .*\n- a watch .*$"):
        await assert_plugin(NoHook)
