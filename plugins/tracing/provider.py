"""Where spans go, as the environment says: the provider that was set for the whole process, or one of our own with the
exporters that OTEL_TRACES_EXPORTER names. This module needs `opentelemetry-api`.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace import ProxyTracerProvider, TracerProvider

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

DEFAULT_SERVICE_NAME = "ocpi-hub"
_GROUP = "opentelemetry_traces_exporter"
_BY_PROTOCOL = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}


class NoExporter(Exception):
    """The environment asks for an exporter that is not there; one sentence says which and what to do."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of tracers, a sentence about it, and how to end it, which may take seconds and blocks."""

    tracers: TracerProvider
    text: str
    close: Callable[[], object] = lambda: None


def provider(service_name: str | None) -> Provider:
    """The provider for this process. Raises NoExporter."""
    found = trace.get_tracer_provider()
    if not isinstance(found, ProxyTracerProvider):
        return Provider(found, "Spans go where the process was told to send them")
    try:
        from opentelemetry.sdk import trace as sdk
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:
        return Provider(found, "Trace ids pass through, but no spans are made: opentelemetry-sdk is not installed")
    name = service_name or os.environ.get("OTEL_SERVICE_NAME") or DEFAULT_SERVICE_NAME
    made = sdk.TracerProvider(resource=Resource.create({SERVICE_NAME: name}), shutdown_on_exit=False)
    wanted = list(_wanted())
    for one in wanted:
        made.add_span_processor(BatchSpanProcessor(_exporter(one)()))
    text = f"Spans go to {', '.join(wanted)}" if wanted else "Spans go nowhere: OTEL_TRACES_EXPORTER is none"
    return Provider(made, text, made.shutdown)


def _wanted() -> Iterator[str]:
    """Names of exporters, under which their packages announce them."""
    for text in os.environ.get("OTEL_TRACES_EXPORTER", "otlp").split(","):
        name = text.strip()
        if name == "otlp":
            general = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
            protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", general)
            if protocol not in _BY_PROTOCOL:
                raise NoExporter(f"OTEL_EXPORTER_OTLP_PROTOCOL must be one of {', '.join(_BY_PROTOCOL)}: {protocol!r}")
            yield _BY_PROTOCOL[protocol]
        elif name and name != "none":
            yield name


def _exporter(name: str) -> Callable[[], "SpanExporter"]:
    for entry in entry_points(group=_GROUP, name=name):
        found: Callable[[], SpanExporter] = entry.load()
        return found
    package = name.replace("_", "-")
    raise NoExporter(
        f"OTEL_TRACES_EXPORTER asks for the exporter {name}, which is not installed: "
        f"pip install opentelemetry-exporter-{package}, or set it to console or none"
    )
