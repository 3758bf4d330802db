"""The table of a plugin becomes its configuration, or one sentence that names the key and says what it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from hub.errors import SettingsError
from hub.plugin import Plugin, PluginConfig, Secret
from hub.plugin.configuring import configured

Key = Annotated[str, Field(min_length=3, max_length=5)]


class Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    module: str
    per_minute: Annotated[int, Field(gt=0)]
    secret: Secret | None = None


class Config(PluginConfig):
    per_minute: Annotated[int, Field(gt=0)] = 600
    share: Annotated[float, Field(ge=0, le=1)] = 0.5
    mode: Literal["soft", "hard"] = "soft"
    code: Annotated[str, Field(pattern="^[A-Z]+$")] = "A"
    flag: bool = False
    names: Annotated[Sequence[str], Field(min_length=1)] = ("a",)
    rules: Sequence[Rule] = ()
    limits: Mapping[str, Rule] = Field(default_factory=dict)
    either: int | bool = 1
    rule: Rule | None = None
    password: Secret | None = None
    strong: Annotated[SecretStr, Field(min_length=5)] | None = None
    ours: Annotated[Secret, Field(min_length=5)] | None = None
    keys: Sequence[Secret] = ()
    access_token: Key = "none"

    @field_validator("mode")
    @classmethod
    def _not_hard(cls, mode: str) -> str:
        if mode == "hard":
            raise ValueError("hard is too hard")
        return mode

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if self.flag and self.per_minute == 1:
            raise ValueError("must not have the flag with one a minute")
        return self


class Limits(Plugin[Config]):
    name = "limits"
    Config = Config


def plugin_with(config: type[PluginConfig]) -> type[Plugin[Any]]:
    return type("Odd", (Plugin,), {"name": "odd", "Config": config})


def refusal(table: dict[str, object], plugin: type[Plugin[Any]] = Limits) -> str:
    with pytest.raises(SettingsError) as caught:
        configured(plugin, table, f"plugin.{plugin.name}", "hub.toml")
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "pydantic" not in sentence
    return sentence.removeprefix("hub.toml: ")


def test_a_table_that_fits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIMITS_PASSWORD", "s3cret")
    (tmp_path / "key").write_text("s3cret two\n")
    table = {
        "per_minute": 5,
        "on_error": "reject",
        "rules": [{"module": "cdrs", "per_minute": 1}],
        "password": {"env": "LIMITS_PASSWORD"},
        "keys": [{"file": str(tmp_path / "key")}],
    }

    config = configured(Limits, table, "plugin.limits", "hub.toml")

    assert isinstance(config, Config)
    assert (config.per_minute, config.on_error, config.rules[0].module) == (5, "reject", "cdrs")
    assert config.password is not None
    assert config.password.get_secret_value() == "s3cret"
    assert config.keys[0].get_secret_value() == "s3cret two"
    assert configured(Limits, {}, "plugin.limits", "hub.toml") == Config()


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({"per_minute": "x"}, "plugin.limits.per_minute must be an integer above 0, not 'x'"),
        ({"per_minute": 0}, "plugin.limits.per_minute must be an integer above 0, not 0"),
        ({"per_minute": 1.5}, "plugin.limits.per_minute must be an integer above 0, not 1.5"),
        ({"per_minute": {}}, "plugin.limits.per_minute must be an integer above 0"),
        ({"share": 2}, "plugin.limits.share must be a number of at least 0 and of at most 1, not 2"),
        ({"mode": "medium"}, "plugin.limits.mode must be one of soft, hard, not 'medium'"),
        ({"code": "a" * 90}, f"plugin.limits.code must be a text that matches ^[A-Z]+$, not '{'a' * 59}..."),
        ({"flag": "perhaps"}, "plugin.limits.flag must be true or false, not 'perhaps'"),
        ({"names": []}, "plugin.limits.names must be a list of 1 or more items"),
        ({"names": ["a", 7]}, "plugin.limits.names[1] must be a text, not 7"),
        ({"either": "x"}, "plugin.limits.either must be an integer or true or false, not 'x'"),
        ({"rule": 3}, "plugin.limits.rule must be a table, not 3"),
        (
            {"rules": [{"module": "cdrs", "per_minute": "many"}]},
            "plugin.limits.rules[0].per_minute must be an integer above 0, not 'many'",
        ),
        ({"rules": [{"module": "cdrs"}]}, "plugin.limits.rules[0].per_minute must be set to an integer above 0"),
        (
            {"limits": {"a": {"module": "cdrs", "per_minute": -1}}},
            "plugin.limits.limits.a.per_minute must be an integer above 0, not -1",
        ),
        ({"hook_timeout": 31}, "plugin.limits.hook_timeout must be a number above 0 and of at most 30, not 31"),
        ({"on_error": "stop"}, "plugin.limits.on_error must be one of continue, reject, not 'stop'"),
        ({"mode": "hard"}, "plugin.limits.mode is refused: hard is too hard"),
        ({"flag": True, "per_minute": 1}, "plugin.limits must not have the flag with one a minute"),
    ],
)
def test_a_value_that_does_not_fit(table: dict[str, object], sentence: str) -> None:
    assert refusal(table) == sentence


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (
            {"per_minut": 3},
            "plugin.limits.per_minut is not a key of the plugin limits; the nearest one is per_minute",
        ),
        ({"zzzz": 3}, "plugin.limits.zzzz is not a key of the plugin limits"),
        # Told rather than the key that is missing because of it.
        (
            {"rules": [{"modul": "cdrs", "per_minute": 1}]},
            "plugin.limits.rules[0].modul is not a key of the plugin limits; the nearest one is module",
        ),
        (
            {"rule": {"module": "cdrs", "per_minute": 1, "secrets": 1}},
            "plugin.limits.rule.secrets is not a key of the plugin limits; the nearest one is secret",
        ),
    ],
)
def test_a_key_that_is_not_one(table: dict[str, object], sentence: str) -> None:
    assert refusal(table) == sentence


def test_a_required_secret_says_where_it_can_be() -> None:
    class Needy(PluginConfig):
        password: Secret

    assert refusal({}, plugin_with(Needy)) == ('plugin.odd.password must be set to {env = "NAME"} or {file = "/path"}')


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ({"env": "NO_SUCH_VARIABLE"}, "is refused: the environment variable NO_SUCH_VARIABLE is not set"),
        ({"file": "/nowhere/key"}, "is refused: the file /nowhere/key cannot be read: FileNotFoundError"),
        ({"key": "x"}, 'must be a table with one key: {env = "NAME"} or {file = "/path"}'),
    ],
)
def test_a_secret_that_is_not_there(written: object, sentence: str) -> None:
    assert refusal({"password": written}) == f"plugin.limits.password {sentence}"


@pytest.mark.parametrize(
    "table",
    [
        {"password": "s3cret"},
        {"rule": {"module": "cdrs", "per_minute": 1, "secret": "s3cret"}},
        {"keys": ["s3cret"]},
        {"strong": "s3c"},
        {"strong": 53},
        {"ours": {"env": "SHORT"}},
        {"access_token": "s3cret"},
        {"pasword": "s3cret"},
    ],
)
def test_no_secret_is_repeated(table: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHORT", "s3c")

    sentence = refusal(table)

    assert sentence.startswith(f"plugin.limits.{next(iter(table))}")
    assert "s3c" not in sentence.replace("s3cret is not a key", "")
    assert "53" not in sentence


def test_a_validator_that_fails_is_the_plugins_fault() -> None:
    class Failing(PluginConfig):
        key: int = 1

        @field_validator("key")
        @classmethod
        def _fails(cls, key: int) -> int:
            raise KeyError("password=s3cret")

    sentence = refusal({"key": 2}, plugin_with(Failing))

    assert sentence.startswith("plugin.odd cannot be checked, Odd.Config fails: KeyError: ")
    assert "s3cret" not in sentence


def test_a_type_without_a_schema_is_told_in_other_words() -> None:
    class Strange(PluginConfig):
        model_config = ConfigDict(arbitrary_types_allowed=True)

        key: complex | None = None
        thing: Annotated[Any, Field()] = None
        own: type[Decimal] | None = None

    assert refusal({"own": 3}, plugin_with(Strange)).startswith("plugin.odd.own: must be a subclass of Decimal")
