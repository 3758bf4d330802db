"""Everything that can be said about a plugin without knowing what it is for: what keeps it from running, what it does
wrong while messages of every kind pass, and what it leaves behind.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.errors import SettingsError
from hub.ocpi import codec
from hub.plugin import Health, HubApi, LocalParty, Panel, Plugin, PluginConfig
from hub.plugin.configuring import configured, told
from hub.plugin.inspecting import problems_of_class, problems_of_routes, problems_of_watches
from hub.testing.benches import Bench, NotRunning, bench, lonely_bench
from hub.testing.observed import Notes, observed
from hub.testing.samples import send_samples

SLOW_S = 0.02
_LIFE_S = 5.0


async def assert_plugin(plugin: type[Plugin[Any]], config: Mapping[str, Any] | None = None) -> None:
    """`check_plugin`, with an AssertionError that lists the problems when there are any."""
    problems = await check_plugin(plugin, config)
    if problems:
        raise AssertionError("\n".join([f"{plugin.__name__} has problems:", *(f"- {one}" for one in problems)]))


async def check_plugin(plugin: type[Plugin[Any]], config: Mapping[str, Any] | None = None) -> list[str]:
    """What is wrong with a plugin that has this configuration (none: its defaults), each a sentence; empty when nothing
    is. Takes a second or two: it runs two hubs, and sends messages of every kind through one of them.
    """
    problems = problems_of_class(plugin)
    if problems:
        return problems
    table = dict(config or {})
    try:
        made_of = configured(plugin, table, f"plugin.{plugin.name}", "config")
    except SettingsError as wrong:
        return [str(wrong)]
    problems = list(_of_config(plugin, made_of))
    # A hub with no plugins but one that lends out its `HubApi`.
    async with lonely_bench(_Lender) as b:
        problems += await _by_itself(plugin, made_of, b.plugin_of(_Lender).hub)
    return problems or await _at_work(plugin, table)


class _Lender(Plugin[PluginConfig]):
    """Has a `HubApi`, and does nothing with it."""

    name = "lends_its_hub"


def _of_config(plugin: type[Plugin[Any]], config: PluginConfig) -> Iterator[str]:
    try:
        codec.dumps(plugin.Config.model_json_schema())
    except Exception as error:  # noqa: BLE001 - a type of the author's
        yield f"{plugin.__name__}.Config has no JSON schema, so nobody can be shown its keys: {told(error)}"
    try:
        codec.dumps(config.public())
    except Exception as error:  # noqa: BLE001
        yield f"{plugin.__name__}.Config cannot be shown to operators: {told(error)}"


# ---- an instance that never runs


async def _by_itself(plugin: type[Plugin[Any]], config: PluginConfig, hub: HubApi) -> list[str]:
    """What it says of itself, and its `stop`: without a start, and twice."""
    try:
        one = plugin(config, hub)
        watches, routes, parties = tuple(one.watches()), tuple(one.routes()), tuple(one.parties())
    except Exception as error:  # noqa: BLE001 - the plugin's code, here and below
        return [f"it cannot be made, or does not say what it watches: {told(error)}"]
    problems = problems_of_watches(one, watches) + problems_of_routes(routes)
    problems += [f"parties() gives {party!r}: make it a LocalParty" for party in _others(parties, LocalParty)]
    for how in ("without a start", "a second time"):
        try:
            async with asyncio.timeout(_LIFE_S):
                await one.stop()
        except Exception as error:  # noqa: BLE001
            problems.append(f"stop() fails {how}: {told(error)}")
            break
    return problems


def _others(things: Iterable[object], kind: type) -> list[object]:
    return [one for one in things if not isinstance(one, kind)]


# ---- an instance at a hub


async def _at_work(plugin: type[Plugin[Any]], table: dict[str, Any]) -> list[str]:
    notes = Notes()
    kind = observed(plugin, notes)
    try:
        async with bench(kind, config={kind.name: table}) as b:
            await _worked(b, kind)
            await _timed(b, kind, notes)
            _shown(b.plugin_of(kind), notes)
            await _handed_over(b, kind, table, notes)
    except (NotRunning, SettingsError) as wrong:
        return [*notes.seen, str(wrong)]
    said = list(notes.seen)
    for (_, hook, how), count in b.failures.items():
        if how == "leaked":
            said.append("tasks that it started are still there after stop(): start them with hub.spawn, or end them")
        elif how != "raised" or not any(note.startswith(f"{hook} raised") for note in said):
            times = "once" if count == 1 else f"{count} times"
            said.append(f"{hook} failed {times} ({how}); the log says how")
    return said


async def _worked(b: Bench, kind: type[Plugin[Any]]) -> None:
    """It sees everything; tripped by what it fails at, it would not see the rest."""
    await send_samples(b, b.incarnation(kind).guard.standing.release)


async def _timed(b: Bench, kind: type[Plugin[Any]], notes: Notes) -> None:
    """Hooks that held the hub up for longer than `SLOW_S`. A machine that is busy holds up anybody now and then, so who
    was slow is looked at once more.
    """
    timings = b.incarnation(kind).guard.standing.timings
    slow = {name for name, one in timings.items() if not one.suspended and one.most_s > SLOW_S}
    if not slow:
        return
    for one in timings.values():
        one.most_s = 0.0
    await _worked(b, kind)
    for name in sorted(slow):
        if (most_s := timings[name].most_s) > SLOW_S:
            notes.add(f"{name} took {most_s * 1000:.0f} ms, and the hub stood still: give such work to hub.compute")


def _shown(one: Plugin[Any], notes: Notes) -> None:
    """What operators are shown."""
    try:
        health = one.health()
        if not isinstance(health, Health):
            notes.add(f"health() gives {health!r}: make it a Health")
        else:
            codec.dumps(dict(health.facts))
    except Exception as error:  # noqa: BLE001
        notes.add(f"health() fails: {told(error)}")
    try:
        for panel in one.panels():
            if not isinstance(panel, Panel):
                notes.add(f"panels() gives {panel!r}: make it a Panel")
                continue
            wrong = [row for row in panel.rows() if len(row) != len(panel.columns)]
            if wrong:
                notes.add(f"the panel {panel.title!r} has {len(panel.columns)} columns and the row {wrong[0]!r}")
    except Exception as error:  # noqa: BLE001
        notes.add(f"panels() fails: {told(error)}")


async def _handed_over(b: Bench, kind: type[Plugin[Any]], table: dict[str, Any], notes: Notes) -> None:
    """Another configuration: the next instance takes over from this one, and has the same to hand over."""
    before = b.plugin_of(kind)
    other = {**table, "hook_timeout": before.config.hook_timeout / 2}
    try:
        had = before.export_state() is not None
        await b.reload({kind.name: other})
    except Exception as error:  # noqa: BLE001
        notes.add(f"another configuration cannot be taken over: {told(error)}")
        return
    if had and b.plugin_of(kind).export_state() is None:
        notes.add("export_state() gives nothing after import_state(): what the instance before had is lost")
