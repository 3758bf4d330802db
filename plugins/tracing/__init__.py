"""Makes OpenTelemetry spans of exchanges and their legs. Importing it needs nothing but the hub."""

from plugins.tracing.plugin import Tracing

__all__ = ["Tracing"]
