"""What a plugin's configuration is made of: the base model with what every plugin has, and secrets that never stand in
a file of settings.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, WithJsonSchema

_FORMS = 'a table with one key: {env = "NAME"} or {file = "/path"}'
_MOST_SECRET = 64 * 1024


def _resolved(value: object) -> object:
    if isinstance(value, SecretStr):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"must be {_FORMS}; a secret does not stand in the configuration itself")
    (source, where), *_ = value.items()
    if source == "env":
        found = os.environ.get(str(where), "")
        if not found:
            raise ValueError(f"the environment variable {where} is not set")
        return SecretStr(found)
    if source == "file":
        try:
            with Path(str(where)).open("rb") as file:
                found = file.read(_MOST_SECRET).decode().strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise ValueError(f"the file {where} cannot be read: {type(problem).__name__}") from None
        if not found:
            raise ValueError(f"the file {where} is empty")
        return SecretStr(found)
    raise ValueError(f"must be {_FORMS}")


Secret = Annotated[
    SecretStr,
    BeforeValidator(_resolved),
    WithJsonSchema(
        {
            "type": "object",
            "description": "where the secret is: in a variable of the environment, or in a file",
            "properties": {"env": {"type": "string"}, "file": {"type": "string"}},
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": False,
        }
    ),
]
"""A secret of a plugin: given as `{env = "NAME"}` or `{file = "/path"}`, read once when the configuration is."""


class PluginConfig(BaseModel):
    """What can be set for every plugin; a plugin's own `Config` adds to it. Frozen, and a key it does not know is an
    error.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True, validate_default=True
    )

    on_error: Literal["continue", "reject"] = "continue"
    """What becomes of a message when a hook fails, takes too long, or the plugin is tripped: carry on without the
    plugin, or refuse it with status code 4000."""
    hook_timeout: Annotated[float, Field(gt=0, le=30)] = 1.0
    """Seconds a hook may be suspended; one that answers at once is never measured by it."""

    def public(self) -> dict[str, Any]:
        """The values as JSON can show them, secrets masked."""
        return self.model_dump(mode="json")
