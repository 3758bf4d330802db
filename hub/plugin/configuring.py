"""From the table of a plugin to its configuration, or to one sentence that names the key that is wrong. What the keys
may be is the plugin's matter.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from hub.errors import SettingsError
from hub.logs import redact_text
from hub.plugin.api import Plugin
from hub.plugin.config import PluginConfig
from hub.plugin.inspecting import nearest
from hub.plugin.schema_words import Wanted

LONGEST_SHOWN = 60
LONGEST_TOLD = 400


def configured(plugin: type[Plugin[Any]], table: Mapping[str, Any], key: str, source: str) -> PluginConfig:
    """The configuration that `table` is. `key` is where it stands, such as `plugin.rate_limit`, in `source`.

    Secrets are read from the environment and from files now. Raises SettingsError, which shows no secret.
    """
    try:
        return plugin.Config.model_validate(dict(table))
    except ValidationError as error:
        problems = error.errors(include_url=False)
        # A key that is missing is often there under a name with a slip in it.
        problem = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
        sentence = _sentence(problem, plugin, table, key)
    except Exception as error:  # noqa: BLE001  a validator is the author's code
        sentence = f"{key} cannot be checked, {plugin.__name__}.Config fails: {told(error)}"
    raise SettingsError(f"{source}: {sentence}") from None


def told(error: BaseException) -> str:
    """An error of a plugin's code as one line, without credentials."""
    text = _line(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _line(error: BaseException) -> str:
    return redact_text(" ".join(str(error).split()))[:LONGEST_TOLD]


def _sentence(problem: ErrorDetails, plugin: type[Plugin[Any]], table: Mapping[str, Any], key: str) -> str:
    steps = _steps(problem, table)
    path = key + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
    schema = Wanted.by(plugin.Config)
    match problem["type"]:
        case "extra_forbidden":
            siblings = schema.at(steps[:-1]).keys()
            return f"{path} is not a key of the plugin {plugin.name}{nearest(str(steps[-1]), siblings)}"
        case "missing":
            return f"{path} must be set to {schema.at(steps).words() or 'a value'}"
        case "value_error" | "assertion_error":  # the words of a validator
            text = _line(problem["ctx"]["error"])
            return f"{path} {text}" if text.startswith("must ") else f"{path} is refused: {text}"
    wanted = schema.at(steps)
    if (words := wanted.words()) is None:
        return f"{path}: {problem['msg'].replace('Input should', 'must')}"
    secret = wanted.secret() or redact_text(f"{path}=x") != f"{path}=x"
    return f"{path} must be {words}{'' if secret else _instead(problem['input'])}"


def _steps(problem: ErrorDetails, table: Mapping[str, Any]) -> list[int | str]:
    """Where in the table the problem is: pydantic's own marks, such as the arm of a union, are left out."""
    steps: list[int | str] = []
    at: object = table
    for step in problem["loc"]:
        inside = dict(enumerate(at)) if isinstance(at, list) else at
        if isinstance(inside, Mapping) and step in inside:
            at = inside[step]
            steps.append(step)
    if problem["type"] == "missing":
        steps.append(problem["loc"][-1])
    return steps


def _instead(value: object) -> str:
    if not isinstance(value, str | int | float):
        return ""
    shown = repr(value)
    return f", not {shown if len(shown) <= LONGEST_SHOWN else shown[:LONGEST_SHOWN] + '...'}"
