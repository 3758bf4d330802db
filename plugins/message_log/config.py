"""What can be set for `message_log`."""

from typing import Annotated

from pydantic import Field

from hub.plugin import PluginConfig


class MessageLogConfig(PluginConfig):
    """Facts about every exchange, for a month; bodies only when somebody asks for them."""

    buffer: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """Records that may wait to be written; above it the oldest are dropped and counted."""
    bodies: bool = False
    """Whether the request's and the answer's body are written too. They hold personal data."""
    max_body: Annotated[int, Field(ge=1, le=1024 * 1024)] = 16 * 1024
    """Bytes; of a larger body only the size is written."""
    keep_days: Annotated[float, Field(gt=0, le=36_500)] = 30
    """Older records are removed."""
    most_mb: Annotated[int, Field(ge=1)] = 1024
    """The oldest records are removed until the rest has so many MiB, keys and indexes not counted."""
