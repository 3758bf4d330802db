"""How the hub writes lines: structlog for what happens now and then, `LegLog` for the line per leg, which must cost the
message nothing. What is worth a line is decided where it happens; tokens are taken out here, whoever put them in."""

from __future__ import annotations

import contextlib
import logging
import queue
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO, Literal, TextIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from hub.errors import HubError

REDACTED = "[redacted]"

_WORDS = r"(?:token|authorization|secret|password|passwd|cookie|credentials|api_?key|private_?key|secret_?key)s?"
_TELLING_KEY = re.compile(rf"{_WORDS}(?:_[abc])?$", re.IGNORECASE)
_IN_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    # A header's whole value.
    (re.compile(r"(authorization[\"']?\s*[=:]\s*[\"']?)[^\"'\r\n,;]+", re.IGNORECASE), rf"\1{REDACTED}"),
    # A scheme in its usual spelling and whatever follows; in any other spelling, when what follows looks like a secret.
    (re.compile(r"\b(Token|Bearer|Basic)\s+[^\s\"',;]+"), rf"\1 {REDACTED}"),
    (
        re.compile(r"\b(token|bearer|basic)\s+(?=[^\s\"',;]*[\d=+/_]|[^\s\"',;]{16})[^\s\"',;]+", re.IGNORECASE),
        rf"\1 {REDACTED}",
    ),
    # token=..., "token": "...", and what stands before the host of a URL.
    (re.compile(rf"({_WORDS}[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;]+", re.IGNORECASE), rf"\1{REDACTED}"),
    (re.compile(r"(://)[^/@\s]+@"), rf"\1{REDACTED}@"),
)

# Ordinary ends of a connection, and requests that are not HTTP at all: they happen all day and have no story to tell.
_EXPECTED = (HubError, ConnectionError, TimeoutError, EOFError)
_EXPECTED_MODULES = ("aiohttp.http_exceptions",)


def configure(level: str, log_format: Literal["json", "console"], stream: TextIO) -> None:
    """Send structlog's lines and those of every library through one chain to `stream`. May be called again."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        expected_without_traceback,
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback)
    )
    handler = logging.StreamHandler(stream)
    handler.set_name("hub")
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    for old in [old for old in root.handlers if old.get_name() == "hub"]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # The drivers' debug lines carry whole commands, and with them what is stored; the access log is the leg log.
    logging.getLogger("pymongo").setLevel(logging.INFO)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Structlog processor: no token leaves the process by way of a line."""
    # Keys that start with "_" are structlog's own, for the steps behind this one.
    return {key: value if key.startswith("_") else _clean(value, key) for key, value in event.items()}


def redact_text(text: str) -> str:
    """`text` without credentials, wherever in it they stand."""
    for pattern, replacement in _IN_TEXT:
        text = pattern.sub(replacement, text)
    return text


def expected_without_traceback(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Structlog processor: an expected error is told in its own sentence; only the unexpected shows its stack."""
    exc_info = event.get("exc_info")
    error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, _EXPECTED) or type(error).__module__ in _EXPECTED_MODULES:
        del event["exc_info"]
        event["error"] = f"{type(error).__name__}: {error}"
    return event


def _clean(value: object, key: object = "") -> object:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(key, str) and _TELLING_KEY.search(key.replace("-", "_")):
        return REDACTED
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {inner: _clean(item, inner) for inner, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_clean(item) for item in value]
    return redact_text(str(value))


class LegLog:
    """One line per leg, rendered and written by a thread of its own; the message pays one append.

    Rules: at most `capacity` records wait; when they do, new ones are dropped and counted, because a line that tells
    of a message must never hold one up. The thread writes when `flush_rows` wait, else every `interval_s`. Rows that a
    failing stream did not take are counted as `unwritten`, and the next ones are tried again. Records hold
    ids, names and numbers, never bodies or tokens.
    """

    def __init__(
        self,
        fields: Sequence[str],
        stream: BinaryIO,
        render: Callable[[Mapping[str, object]], bytes],
        *,
        capacity: int = 20_000,
        flush_rows: int = 500,
        interval_s: float = 0.1,
    ) -> None:
        self._fields = tuple(fields)
        self._stream = stream
        self._render = render
        self._capacity = capacity
        self._flush_rows = min(flush_rows, capacity)
        self._interval_s = interval_s
        self._records: deque[tuple[object, ...]] = deque()
        self._signals: queue.SimpleQueue[None] = queue.SimpleQueue()  # its put never waits for a lock
        self._closed = False
        self.dropped = 0
        self.unwritten = 0
        self._thread = threading.Thread(target=self._run, name="leg-log", daemon=True)
        self._thread.start()

    def append(self, record: tuple[object, ...]) -> None:
        """Take one record, its values in the order of `fields`. Never waits, never fails; one thread calls it."""
        waiting = len(self._records)
        if waiting >= self._capacity or self._closed:
            self.dropped += 1
            return
        self._records.append(record)
        if waiting + 1 == self._flush_rows:
            self._signals.put(None)

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what waits and end the thread; a stream that is stuck is given up after `timeout_s`. Safe twice."""
        self._closed = True
        self._signals.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closed:
            with contextlib.suppress(queue.Empty):
                self._signals.get(timeout=self._interval_s)
            self._flush()
        self._flush()

    def _flush(self) -> None:
        while self._records:
            rows = [self._records.popleft() for _ in range(min(len(self._records), self._flush_rows))]
            try:
                lines = [self._render(dict(zip(self._fields, row, strict=True))) for row in rows]
                self._stream.write(b"\n".join(lines) + b"\n")
                self._stream.flush()
            except Exception:  # noqa: BLE001  the boundary of the thread: no row, however odd, ends the log
                self.unwritten += len(rows)


def console_leg(record: Mapping[str, object]) -> bytes:
    """A renderer for `LegLog`: `name=value` pairs for people, without the fields that are empty."""
    return " ".join(f"{name}={value}" for name, value in record.items() if value is not None).encode()
