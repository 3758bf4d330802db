"""What the calls about plugins take and give."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ConfigDict, RootModel

from hub.broker.plugins.config_view import ConfigView
from hub.broker.plugins.overview import PluginView
from hub.broker.plugins.own_words import PanelView
from hub.broker.plugins.wanted import as_in_settings
from hub.web.admin.inputs import Input
from hub.web.admin.outputs import Output


class ConfigTable(Input):
    """Keys of the plugin's configuration, as its schema has them. A secret is given as `{"env": "NAME"}` or
    `{"file": "/path"}`.
    """

    model_config = ConfigDict(extra="allow", frozen=True, hide_input_in_errors=True)

    def members(self) -> dict[str, Any]:
        """What was sent."""
        return {key: as_in_settings(value) for key, value in (self.__pydantic_extra__ or {}).items()}


class PluginOutput(Output, RootModel[PluginView]):
    """A plugin with everything that is known about it."""


class PluginPage(Output):
    """Plugins by name. `order` are those that are asked in each phase of a message, in order."""

    items: Sequence[PluginView]
    next: str | None
    order: Mapping[str, Sequence[str]]


class Reloaded(Output):
    """What runs now, in order, and who is asked in each phase."""

    plugins: Sequence[str]
    order: Mapping[str, Sequence[str]]


class ConfigOutput(Output, RootModel[ConfigView]):
    """A plugin's configuration."""


class ConfigSchema(Output, RootModel[Mapping[str, Any]]):
    """The JSON schema of a plugin's configuration."""


class PanelsOutput(Output):
    """A plugin's tables; `problem` says why there are none."""

    items: Sequence[PanelView]
    problem: str | None
