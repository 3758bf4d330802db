"""An exporter that keeps spans where a test finds them, and announces itself as packages with exporters do."""

from collections.abc import Sequence
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult


class MemoryExporter(SpanExporter):
    """Every instance exports to the same list."""

    spans: list[ReadableSpan] = []  # noqa: RUF012 - whoever loads the exporter by its name makes its own instance

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans.extend(spans)
        return SpanExportResult.SUCCESS


def announce(folder: Path) -> None:
    """Puts a distribution into this folder that has the exporter `memory`."""
    about = folder / "memory_exporter-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: memory-exporter\nVersion: 1.0\n")
    entry = f"memory = {__name__}:{MemoryExporter.__name__}"
    (about / "entry_points.txt").write_text(f"[opentelemetry_traces_exporter]\n{entry}\n")
