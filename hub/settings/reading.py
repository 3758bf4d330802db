"""From a TOML file and an environment to `Settings`, or to one sentence that names the key that is wrong.
What a value may be is `kinds`' matter; what a plugin's keys may be, the plugin's."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource

from hub.errors import SettingsError
from hub.settings.described import accepts
from hub.settings.tree import ENV_PREFIX, Settings, default_data_dir, names

# Variables of the test suite (which server to test against) share the prefix and are none of the hub's business.
TEST_PREFIX = f"{ENV_PREFIX}TEST_"
TABLES = f"{ENV_PREFIX}PLUGIN"
LONGEST_SHOWN = 60


def load(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Settings from `config` (TOML, keys in lower or upper case), overridden by `OCPI_HUB_<NAME>` variables, and single
    keys in the table of a plugin by `OCPI_HUB_PLUGIN__<NAME>__<KEY>`.

    An empty text means unset, in both; inside the table of a plugin only in a variable. Raises SettingsError, one
    sentence naming the key.
    """
    from_file = _from_file(config) if config is not None else {}
    ours = {name.upper(): value for name, value in environ.items() if name.upper().startswith(ENV_PREFIX)}
    single_keys = {name: value for name, value in ours.items() if name == TABLES or name.startswith(f"{TABLES}__")}
    from_environ = _from_environ({name: value for name, value in ours.items() if name not in single_keys})
    values = {"data_dir": default_data_dir(environ)} | from_file | from_environ
    for (plugin, key), value in _plugin_keys(single_keys).items():
        _set_in_table(values, plugin, key, value)
    try:
        return Settings(**values)
    except ValidationError as error:
        # Every problem would be a paragraph; the first one is what the operator mends first.
        field = str(error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"][0])
        origin = f"{ENV_PREFIX}{field.upper()}" if field in from_environ else str(config)
        raise SettingsError(_refusal(field, values[field], origin)) from None


def _from_file(config: Path) -> dict[str, Any]:
    try:
        with config.open("rb") as file:
            written = tomllib.load(file)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{config} is not TOML: {error}") from None
    except OSError as error:
        raise SettingsError(f"{config} cannot be read: {error.strerror}") from None
    values: dict[str, Any] = {}
    for key, value in written.items():
        name = key.lower()
        if name not in Settings.model_fields:
            raise SettingsError(f"{key} in {config} is not a setting{_nearest(key)}")
        if name in values:
            raise SettingsError(f"{key} stands twice in {config}")
        values[name] = value
    return {name: value for name, value in values.items() if value != ""}


def _from_environ(ours: Mapping[str, str]) -> dict[str, Any]:
    for name in ours:
        setting = name.removeprefix(ENV_PREFIX)
        if setting.lower() not in Settings.model_fields and not name.startswith(TEST_PREFIX):
            raise SettingsError(f"{name} is not a setting{_nearest(setting, ENV_PREFIX)}")
    source = EnvSettingsSource(Settings, env_ignore_empty=True)
    source.env_vars = {name.lower(): value for name, value in ours.items() if value.strip()}
    return source()


def _plugin_keys(ours: Mapping[str, str]) -> dict[tuple[str, str], object]:
    """Plugin and key, both in lower case, to the value: TOML if it is such, else the text itself."""
    found: dict[tuple[str, str], object] = {}
    for name, text in ours.items():
        if not text.strip():
            continue
        plugin, _, key = name.removeprefix(TABLES).removeprefix("__").lower().partition("__")
        if not plugin or not key:
            raise SettingsError(f"{name} sets nothing: one key of one plugin is set by {TABLES}__NAME__KEY")
        found[plugin, key] = _toml_or_text(text)
    return found


def _toml_or_text(text: str) -> object:
    try:
        read = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return read["value"] if len(read) == 1 else text  # a second line may be a key of its own


def _set_in_table(values: dict[str, Any], plugin: str, key: str, value: object) -> None:
    tables = values.get("plugin", {})
    table = tables.get(plugin, {}) if isinstance(tables, dict) else None
    if isinstance(table, dict):  # else the file has something there that is refused anyway
        values["plugin"] = {**tables, plugin: {**table, key: value}}


def _nearest(key: str, prefix: str = "") -> str:
    close = difflib.get_close_matches(key.upper(), names(), n=1, cutoff=0.5)
    return f"; the nearest one is {prefix}{close[0]}" if close else ""


def _refusal(field: str, value: object, origin: str) -> str:
    wanted = accepts(Settings.model_fields[field])
    shown = repr(value)
    if len(shown) > LONGEST_SHOWN:
        shown = f"{shown[:LONGEST_SHOWN]}..."
    instead = "" if wanted.secret else f", not {shown}"
    return f"{field.upper()} (set by {origin}) must be {wanted.text}{instead}"
