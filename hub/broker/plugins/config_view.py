"""The configuration of a plugin as operators see and set it: its values, who set them, where a mistake is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError

from hub.broker.plugins.host import PluginHost
from hub.broker.plugins.wanted import as_in_settings
from hub.errors import SettingsError
from hub.plugin.api import Plugin
from hub.plugin.config import PluginConfig
from hub.plugin.configuring import configured, told

_OPERATOR = "what an operator set"


@dataclass(frozen=True, slots=True)
class ConfigView:
    """`values` are those in force, or for a plugin that is off those it would have; secrets are masked. `given` are the
    keys that were set, in the settings or by an operator; the others have their defaults.
    """

    name: str
    set_by: Literal["settings", "operator"]
    given: tuple[str, ...]
    values: Mapping[str, Any]


def config_of(host: PluginHost, name: str, plugin: type[Plugin[Any]]) -> ConfigView:
    """The configuration of a plugin that can run. Raises SettingsError when it cannot be used or shown."""
    one = host.one(name)
    config = _configured(host, name, plugin) if one is None else one.chosen.config
    try:
        values = config.public()
    except Exception as raised:  # noqa: BLE001 - types and validators are the author's code
        raise SettingsError(f"the configuration of the plugin {name} cannot be shown: {told(raised)}") from None
    given = tuple(table_of(host, name))
    return ConfigView(name, "operator" if name in host.choices.config else "settings", given, values)


def _configured(host: PluginHost, name: str, plugin: type[Plugin[Any]]) -> PluginConfig:
    source = _OPERATOR if name in host.choices.config else host.settled.source
    return configured(plugin, table_of(host, name), f"plugin.{name}", source)


def table_of(host: PluginHost, name: str) -> dict[str, Any]:
    """What was set, an operator's table in place of that of the settings."""
    table = host.choices.config.get(name)
    return dict(host.settled.tables.get(name, {}) if table is None else as_in_settings(table))


def check(name: str, plugin: type[Plugin[Any]], table: Mapping[str, Any]) -> None:
    """Whether an operator's table can be used. Raises SettingsError."""
    configured(plugin, table, f"plugin.{name}", _OPERATOR)


def pointer_to_mistake(plugin: type[Plugin[Any]], table: Mapping[str, Any]) -> str | None:
    """The JSON pointer to what is wrong in a table; None when nothing is, or it is not one place."""
    try:
        plugin.Config.model_validate(dict(table))
    except ValidationError as wrong:
        problems = wrong.errors(include_url=False, include_context=False, include_input=False)
    except Exception:  # noqa: BLE001 - a validator is the author's code
        return None
    else:
        return None
    # The same one that the sentence is about: a key that nobody knows, before all others.
    problem = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
    at: object = table
    steps = []
    for step in problem["loc"]:
        inside = dict(enumerate(at)) if isinstance(at, list) else at
        if isinstance(inside, Mapping) and step in inside:  # else a mark of the validator's own
            at = inside[step]
            steps.append(step)
    if problem["type"] == "missing":
        steps.append(problem["loc"][-1])
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps) or None
