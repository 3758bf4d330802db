"""Lines: their shape, what is taken out of them, and the leg log that never holds a message up."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import pytest
import structlog

from hub import logs
from hub.errors import StoreUnavailable

FIELDS = ("correlation_id", "module", "duration_ms")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def configured(level: str = "info", log_format: Literal["json", "console"] = "json") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(level, log_format, stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_json_line_carries_the_ids_of_the_message() -> None:
    stream = configured()

    with structlog.contextvars.bound_contextvars(request_id="r-1", correlation_id="c-1"):
        structlog.get_logger("hub.broker").info("platform registered", platform="north")

    (line,) = lines(stream)
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "platform registered",
        "level": "info",
        "logger": "hub.broker",
        "platform": "north",
        "request_id": "r-1",
        "correlation_id": "c-1",
    }


def test_lines_below_the_level_are_not_written() -> None:
    stream = configured("warning")

    structlog.get_logger("hub").info("quiet")
    logging.getLogger("aiohttp.server").info("quiet")
    structlog.get_logger("hub").warning("heard")

    assert [line["event"] for line in lines(stream)] == ["heard"]


def test_console_lines_are_for_people() -> None:
    stream = configured(log_format="console")

    structlog.get_logger("hub").warning("platform is silent", platform="north", authorization="Token abc")

    text = stream.getvalue()
    assert "platform is silent" in text
    assert "platform=north" in text
    assert "abc" not in text


@pytest.mark.parametrize("name", ["aiohttp.server", "asyncio", "motor", "pymongo"])
def test_lines_of_libraries_take_the_same_way(name: str) -> None:
    stream = configured()

    logging.getLogger(name).warning("refused %s", "Authorization: Token s3cret")

    (line,) = lines(stream)
    assert line["logger"] == name
    assert line["level"] == "warning"
    assert line["event"].startswith("refused Authorization: ")
    assert "s3cret" not in stream.getvalue()


def test_drivers_never_log_commands_even_at_debug() -> None:
    stream = configured("debug")
    logging.getLogger("pymongo.command").debug("insert")
    assert stream.getvalue() == ""


def test_configuring_twice_writes_each_line_once() -> None:
    first = configured()
    second = configured()

    structlog.get_logger("hub").info("once")

    assert first.getvalue() == ""
    assert len(lines(second)) == 1


@pytest.mark.parametrize(
    "key",
    ["token", "Authorization", "proxy-authorization", "admin_token", "token_b", "secret_key", "password", "cookie"],
)
def test_values_under_telling_keys_are_taken_out(key: str) -> None:
    stream = configured()

    structlog.get_logger("hub").info("x", **{key: "s3cret"}, nested={"deep": [{key: b"s3cret"}]})

    (line,) = lines(stream)
    assert line[key] == logs.REDACTED
    assert "s3cret" not in stream.getvalue()


def test_numbers_under_telling_keys_stay() -> None:
    stream = configured()
    structlog.get_logger("hub").info("pulled", tokens=3, module="tokens")
    (line,) = lines(stream)
    assert (line["tokens"], line["module"]) == (3, "tokens")


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Token s3cret",
        "authorization: token s3cret",
        "{'Authorization': 'Token s3cret'}",
        '{"token": "s3cret", "url": "https://example.com"}',
        "sent Bearer s3cret, refused",
        "token s3cret-3f2a was wrong",
        "GET /ocpi?token=s3cret&limit=1",
        "mongodb://hub:s3cret@db.example.com/hub",
        "password = s3cret",
    ],
)
def test_credentials_inside_text_are_taken_out(text: str) -> None:
    cleaned = logs.redact_text(text)
    assert "s3cret" not in cleaned
    assert logs.REDACTED in cleaned


@pytest.mark.parametrize(
    "text", ["registration token expired", "the token is unknown", "tokens module", "https://example.com/tokens/NL/ABC"]
)
def test_ordinary_sentences_stay(text: str) -> None:
    assert logs.redact_text(text) == text


def test_an_expected_error_has_no_traceback() -> None:
    stream = configured()

    try:
        raise StoreUnavailable("the store did not answer")
    except StoreUnavailable:
        structlog.get_logger("hub").exception("not stored")
    logging.getLogger("aiohttp.server").error("gone", exc_info=ConnectionResetError("by peer"))

    ours, theirs = lines(stream)
    assert ours["error"] == "StoreUnavailable: the store did not answer"
    assert theirs["error"] == "ConnectionResetError: by peer"
    assert "Traceback" not in stream.getvalue()


def test_an_unexpected_error_shows_its_stack_without_credentials() -> None:
    stream = configured()

    try:
        raise RuntimeError("sent Token s3cret")
    except RuntimeError:
        structlog.get_logger("hub").exception("surprise")

    (line,) = lines(stream)
    assert "Traceback" in line["exception"]
    assert "RuntimeError" in line["exception"]
    assert "s3cret" not in stream.getvalue()


def test_a_console_stack_is_plain_text() -> None:
    stream = configured(log_format="console")
    try:
        raise RuntimeError("broken")
    except RuntimeError:
        structlog.get_logger("hub").exception("surprise")
    assert "RuntimeError: broken" in stream.getvalue()


# ---- the leg log


class Wire(io.RawIOBase):
    """A stream that tells when rows arrive and can be made to stand still or to fail."""

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.arrived = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()
        self.reached = threading.Event()
        self.failed = threading.Event()
        self.broken = False

    def write(self, chunk: Any) -> int:
        self.reached.set()
        self.open.wait(timeout=10)
        if self.broken:
            self.failed.set()
            raise OSError("no space left")
        for row in bytes(chunk).splitlines():
            self.rows.append(row)
            self.arrived.release()
        return len(chunk)


def as_json(record: Mapping[str, object]) -> bytes:
    return json.dumps(record).encode()


def leg_log(wire: Wire, **options: Any) -> logs.LegLog:
    return logs.LegLog(FIELDS, wire, as_json, **options)  # type: ignore[arg-type]  # raw is enough of a stream


def test_a_record_becomes_a_line_within_the_interval() -> None:
    wire = Wire()
    leg_log_ = leg_log(wire, interval_s=0.01)

    leg_log_.append(("c-1", "locations", 1.5))

    assert wire.arrived.acquire(timeout=5)
    assert json.loads(wire.rows[0]) == {"correlation_id": "c-1", "module": "locations", "duration_ms": 1.5}
    leg_log_.close()


def test_enough_rows_do_not_wait_for_the_interval() -> None:
    wire = Wire()
    leg_log_ = leg_log(wire, flush_rows=3, interval_s=3600)

    for number in range(3):
        leg_log_.append((f"c-{number}", "locations", 0))

    for _ in range(3):
        assert wire.arrived.acquire(timeout=5)
    leg_log_.close()


def test_close_writes_everything_in_order_and_may_be_called_twice() -> None:
    wire = Wire()
    leg_log_ = leg_log(wire, interval_s=3600)
    for number in range(1200):
        leg_log_.append((number, "locations", 0))

    leg_log_.close()
    leg_log_.close()

    assert [json.loads(row)["correlation_id"] for row in wire.rows] == list(range(1200))
    assert (leg_log_.dropped, leg_log_.unwritten) == (0, 0)
    leg_log_.append(("late", "locations", 0))
    assert leg_log_.dropped == 1


def test_a_stuck_stream_drops_new_records_and_counts_them() -> None:
    wire = Wire()
    wire.open.clear()
    leg_log_ = leg_log(wire, capacity=10, flush_rows=1, interval_s=3600)
    leg_log_.append(("first", "locations", 0))
    assert wire.reached.wait(timeout=5)  # the thread holds "first" and is stuck with it

    for number in range(25):
        leg_log_.append((number, "locations", 0))

    assert leg_log_.dropped == 15
    wire.open.set()
    leg_log_.close()
    assert [json.loads(row)["correlation_id"] for row in wire.rows] == ["first", *range(10)]


def test_a_failing_stream_is_counted_and_tried_again() -> None:
    wire = Wire()
    wire.broken = True
    leg_log_ = leg_log(wire, flush_rows=1, interval_s=3600)

    leg_log_.append(("lost", "locations", 0))
    assert wire.failed.wait(timeout=5)
    wire.broken = False
    leg_log_.append(("kept", "locations", 0))
    leg_log_.close()

    assert leg_log_.unwritten == 1
    assert [json.loads(row)["correlation_id"] for row in wire.rows] == ["kept"]


def test_a_record_of_the_wrong_length_does_not_end_the_log() -> None:
    wire = Wire()
    leg_log_ = leg_log(wire, flush_rows=1, interval_s=0.01)

    leg_log_.append(("too", "short"))
    leg_log_.append(("kept", "locations", 0))
    leg_log_.close()

    assert leg_log_.unwritten + len(wire.rows) == 2
    assert leg_log_.unwritten >= 1


async def test_appending_is_allowed_on_the_event_loop() -> None:
    wire = Wire()
    leg_log_ = leg_log(wire, flush_rows=1)

    for number in range(1000):
        leg_log_.append((number, "locations", 0))
    await asyncio.to_thread(leg_log_.close)

    assert len(wire.rows) == 1000


def test_console_legs_leave_out_what_is_empty() -> None:
    assert logs.console_leg({"module": "cdrs", "status_code": None, "http": 200}) == b"module=cdrs http=200"
