"""What can be set for `tracing`; where spans go is OpenTelemetry's own configuration, in the environment."""

from typing import Annotated

from pydantic import Field

from hub.plugin import PluginConfig


class TracingConfig(PluginConfig):
    """Spans of everything that passes, joined to the traces of those who send it."""

    service_name: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    """What the hub is called in traces. Unset: OTEL_SERVICE_NAME, or `ocpi-hub`."""
    propagate: bool = True
    """Whether `traceparent` and `tracestate` are taken from requests and put into legs."""
