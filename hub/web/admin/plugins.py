"""The calls about plugins."""

from collections.abc import Mapping
from typing import Any

from hub.broker.plugins import config_view, overview
from hub.broker.plugins.choices import Choices
from hub.broker.plugins.own_words import panels_of
from hub.broker.refusal import Refusal, RefusalKind
from hub.errors import SettingsError, StoreConflict
from hub.plugin.api import Plugin
from hub.plugin.configuring import told
from hub.plugin.inspecting import nearest
from hub.web.admin import inputs
from hub.web.admin import plugin_models as models
from hub.web.admin.outputs import Output
from hub.web.admin.pages import page
from hub.web.admin.parts import AdminParts

CHANGED_ELSEWHERE = Refusal(
    RefusalKind.CONFLICT, "Somebody else has just changed what runs, maybe at another node; try again in a few seconds"
)


async def list_plugins(parts: AdminParts, _at: Mapping[str, str], given: inputs.ListQuery) -> Output | Refusal:
    found = page(overview.names(parts.plugins), lambda name: name, given)
    if isinstance(found, Refusal):
        return found
    views = [overview.view(parts.plugins, parts.alarms, name) for name in found.items]
    items = [view for view in views if view is not None]
    return models.PluginPage(items=items, next=found.next, order=overview.order(parts.plugins))


async def get_plugin(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    view = overview.view(parts.plugins, parts.alarms, at["name"])
    return _unknown(parts, at["name"]) if view is None else models.PluginOutput(view)


async def reload_plugins(parts: AdminParts, _at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    try:
        await parts.plugins.reload()
    except SettingsError as wrong:
        return _no_effect(wrong)
    running = [one.name for one in parts.plugins.running]
    return models.Reloaded(plugins=running, order=overview.order(parts.plugins))


async def enable_plugin(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    plugin = _plugin(parts, at["name"])
    if isinstance(plugin, Refusal):
        return plugin
    return await _switched(parts, at, parts.plugins.choices.with_enabled(at["name"]))


async def disable_plugin(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    if at["name"] not in overview.names(parts.plugins):
        return _unknown(parts, at["name"])
    return await _switched(parts, at, parts.plugins.choices.with_disabled(at["name"]))


async def _switched(parts: AdminParts, at: Mapping[str, str], choices: Choices) -> Output | Refusal:
    refusal = await _choose(parts, choices)
    return await get_plugin(parts, at, inputs.Nothing()) if refusal is None else refusal


# --- configuration


async def get_plugin_schema(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    plugin = _plugin(parts, at["name"])
    if isinstance(plugin, Refusal):
        return plugin
    try:
        return models.ConfigSchema(plugin.Config.model_json_schema())
    except Exception as raised:  # noqa: BLE001 - a type that JSON does not know, or a schema of the author's own making
        title = f"The configuration of {at['name']} has no JSON schema: {told(raised)}"
        return Refusal(RefusalKind.CONFLICT, title)


async def get_plugin_config(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    plugin = _plugin(parts, at["name"])
    return plugin if isinstance(plugin, Refusal) else _config(parts, at["name"], plugin)


async def put_plugin_config(parts: AdminParts, at: Mapping[str, str], given: models.ConfigTable) -> Output | Refusal:
    return await _configured(parts, at["name"], given.members())


async def change_plugin_config(parts: AdminParts, at: Mapping[str, str], given: models.ConfigTable) -> Output | Refusal:
    table = config_view.table_of(parts.plugins, at["name"]) | given.members()
    return await _configured(parts, at["name"], {key: value for key, value in table.items() if value is not None})


async def reset_plugin_config(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    return await _configured(parts, at["name"], None)


async def _configured(parts: AdminParts, name: str, table: dict[str, Any] | None) -> Output | Refusal:
    plugin = _plugin(parts, name)
    if isinstance(plugin, Refusal):
        return plugin
    if table is not None:
        try:
            config_view.check(name, plugin, table)
        except SettingsError as wrong:
            return Refusal(RefusalKind.EMPTY, str(wrong), pointer=config_view.pointer_to_mistake(plugin, table))
    refusal = await _choose(parts, parts.plugins.choices.with_config(name, table))
    return _config(parts, name, plugin) if refusal is None else refusal


def _config(parts: AdminParts, name: str, plugin: type[Plugin[Any]]) -> Output | Refusal:
    try:
        return models.ConfigOutput(config_view.config_of(parts.plugins, name, plugin))
    except SettingsError as wrong:
        return Refusal(RefusalKind.CONFLICT, str(wrong))


async def _choose(parts: AdminParts, choices: Choices) -> Refusal | None:
    """Takes over what an operator chose."""
    try:
        await parts.plugins.choose(choices)
    except SettingsError as wrong:
        return _no_effect(wrong)
    except StoreConflict:
        return CHANGED_ELSEWHERE
    return None


# --- for people


async def get_plugin_panels(parts: AdminParts, at: Mapping[str, str], _given: inputs.Nothing) -> Output | Refusal:
    one = parts.plugins.one(at["name"])
    if one is None:
        plugin = _plugin(parts, at["name"])
        return plugin if isinstance(plugin, Refusal) else models.PanelsOutput(items=[], problem="it does not run")
    items, problem = panels_of(one)
    return models.PanelsOutput(items=items, problem=problem)


def _plugin(parts: AdminParts, name: str) -> type[Plugin[Any]] | Refusal:
    """The class of a plugin that can run."""
    one, found = parts.plugins.one(name), parts.plugins.found.get(name)
    if one is not None:
        return one.chosen.plugin
    if found is None:
        return _unknown(parts, name)
    if found.plugin is None:
        return Refusal(RefusalKind.CONFLICT, f"The plugin {name} ({found.origin}) cannot run: {found.problem}")
    return found.plugin


def _unknown(parts: AdminParts, name: str) -> Refusal:
    close = nearest(name, overview.names(parts.plugins))
    detail = "install it, or put its file into PLUGIN_FOLDER, and reload"
    return Refusal(RefusalKind.UNKNOWN, f"There is no such plugin{close}", detail)


def _no_effect(wrong: SettingsError) -> Refusal:
    sentence, *places = str(wrong).splitlines()  # below the sentence stands where an exception came through
    traced = f" ({'; '.join(place.strip() for place in places)})" if places else ""
    return Refusal(RefusalKind.CONFLICT, sentence, f"nothing has changed, and what ran goes on{traced}")
