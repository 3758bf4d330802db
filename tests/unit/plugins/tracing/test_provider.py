"""Where spans go: what the environment asks for, and what is said when it cannot be had."""

import importlib
import sys
import threading
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider

from plugins.tracing import Tracing
from plugins.tracing.config import TracingConfig
from plugins.tracing.provider import NoExporter, Provider, provider
from tests.unit.plugins.exchanges import finished, received
from tests.unit.plugins.small_hub import SmallHub
from tests.unit.plugins.tracing.memory import MemoryExporter, announce


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's."""
    for name in ("TRACES_EXPORTER", "EXPORTER_OTLP_PROTOCOL", "EXPORTER_OTLP_TRACES_PROTOCOL", "SERVICE_NAME"):
        monkeypatch.delenv(f"OTEL_{name}", raising=False)


@pytest.mark.parametrize(
    ("configured", "environment", "name"),
    [(None, None, "ocpi-hub"), (None, "from-env", "from-env"), ("configured", "from-env", "configured")],
)
async def test_spans_reach_the_exporter_by_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, configured: str | None, environment: str | None, name: str
) -> None:
    announce(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(MemoryExporter, "spans", [])
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "memory")
    if environment is not None:
        monkeypatch.setenv("OTEL_SERVICE_NAME", environment)
    async with SmallHub() as hub:
        plugin = Tracing(TracingConfig(service_name=configured), hub)
        assert plugin.health().text == "Not started"
        await plugin.start()
        assert plugin.health().text == "Spans go to memory"
        plugin.on_finished(finished(received()))
        await plugin.stop()
        await plugin.stop()

    (span,) = MemoryExporter.spans
    assert span.resource.attributes["service.name"] == name


async def test_stop_gives_a_collector_that_hangs_five_seconds() -> None:
    release = threading.Event()
    closing = threading.Event()

    def close() -> None:
        closing.set()
        release.wait(30)

    async with SmallHub() as hub:
        plugin = Tracing(TracingConfig(), hub, Provider(TracerProvider(shutdown_on_exit=False), "slow", close))
        await plugin.start()
        stopping = hub.spawn(plugin.stop(), name="stop")
        await hub.clock.advance(4.9)
        assert closing.wait(5)
        assert not stopping.task.done()
        await hub.clock.advance(0.1)
        assert stopping.task.done()
    release.set()


async def test_stop_without_start_is_safe() -> None:
    await Tracing(TracingConfig(), SmallHub()).stop()


def test_no_exporter_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "none")
    assert "none" in provider(None).text


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({"OTEL_TRACES_EXPORTER": "carrier-pigeon"}, "opentelemetry-exporter-carrier-pigeon"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "smoke"}, "OTEL_EXPORTER_OTLP_PROTOCOL must be one of http/protobuf, grpc"),
    ],
)
def test_an_exporter_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], asked: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(NoExporter, match=asked):
        provider(None)


async def test_the_api_alone_passes_trace_ids_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    async with SmallHub() as hub:
        plugin = Tracing(TracingConfig(), hub)
        await plugin.start()
        assert "opentelemetry-sdk is not installed" in plugin.health().text
        plugin.on_finished(finished(received()))


async def test_without_the_api_it_imports_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("plugins.tracing")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    fresh = importlib.import_module("plugins.tracing")
    plugin = fresh.Tracing(fresh.Tracing.Config(), SmallHub())

    with pytest.raises(
        Exception, match=r"^The plugin tracing needs opentelemetry-api: pip install 'ocpi-hub\[tracing\]'$"
    ):
        await plugin.start()
