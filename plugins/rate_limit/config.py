"""What can be set for `rate_limit`, and which figure holds for whom."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from hub.plugin import PluginConfig
from plugins.rate_limit.bucket import Limit

PerMinute = Annotated[int, Field(ge=1, le=1_000_000)]

_PLUGIN = "plugin-"
"""How the id of a platform begins that is a plugin's own requests."""


class RateLimitConfig(PluginConfig):
    """Nothing is limited until one of the figures is set."""

    per_minute: PerMinute | None = None
    """Requests a minute for every platform and module that no other key speaks of."""
    burst: PerMinute | None = None
    """Requests that may come at once after a quiet time. Unset: what comes in ten seconds, at least one."""
    modules: Mapping[str, PerMinute] = Field(default_factory=dict)
    """Requests a minute by module, for every platform."""
    platforms: Mapping[str, PerMinute] = Field(default_factory=dict)
    """Requests a minute to each module, by the platform's id; stronger than the other keys."""

    @property
    def limits_nobody(self) -> bool:
        """Whether no figure is set."""
        return self.per_minute is None and not self.modules and not self.platforms

    @property
    def limited_modules(self) -> frozenset[str] | None:
        """The only modules that any figure can hold for; None: all of them."""
        return None if self.per_minute is not None or self.platforms else frozenset(self.modules)

    def limit(self, platform: str, module: str) -> Limit | None:
        """The most specific figure: the platform's, the module's, everybody's. None: no limit.

        A plugin's own requests are the operator's, so only a figure that names it holds for a plugin.
        """
        per_minute = self.platforms.get(platform)
        if per_minute is None and not platform.startswith(_PLUGIN):
            per_minute = self.modules.get(module, self.per_minute)
        if per_minute is None:
            return None
        return Limit(per_minute, self.burst or max(1, per_minute // 6))
