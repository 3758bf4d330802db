"""Table F, row by row: what a leg came to, and what the requester is told."""

from collections.abc import AsyncIterator

import pytest

from hub.domain.outcome import Answer, Lost, Outcome, TimedOut, TooLarge, Unsent, UnsentReason
from hub.domain.relay import Relayed, Replaced, judge, shows_life
from hub.ocpi.status import StatusCode

PUSHES = ("PUT", "PATCH", "POST", "DELETE")
METHODS = ("GET", *PUSHES)


def envelope(code: int) -> bytes:
    return b'{"status_code":%d,"timestamp":"2026-01-01T00:00:00Z"}' % code


def answered(status: int, body: bytes = b"", **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


class NoRest:
    """The rest of a long answer that nobody reads here."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b""

    def close(self) -> None:
        """Nothing is held."""


def streaming(status: int, beginning: bytes, content_type: str | None = "application/json") -> Answer:
    return Answer(status, {} if content_type is None else {"content-type": content_type}, beginning, rest=NoRest())


def row(outcome: Outcome, method: str = "GET") -> tuple[str, int, int]:
    """Row, HTTP status and status code of an answer in the receiver's place."""
    verdict = judge(outcome, method)
    assert isinstance(verdict, Replaced), verdict
    assert verdict.message
    return verdict.row, verdict.http, verdict.code


NOT_ENVELOPES = [b"<html>no</html>", b"[]", b"{}", b'{"status_code":"1000"}', b'{"status_code":1000', b"\xff"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Unsent(UnsentReason.REFUSED), ("F5", 200, 4003)),
        (Unsent(UnsentReason.DNS), ("F5", 200, 4003)),
        (Unsent(UnsentReason.TLS), ("F5", 200, 4003)),
        (Unsent(UnsentReason.UNUSABLE), ("F5", 200, 4003)),
        (Unsent(UnsentReason.FORBIDDEN), ("F5", 200, 4003)),
        (Unsent(UnsentReason.FULL), ("F23", 200, 4003)),
        (TimedOut(), ("F6", 200, 4002)),
        (Lost("reset"), ("F7", 200, 4002)),
        (TooLarge(), ("F21", 200, 4000)),
    ],
)
def test_no_answer(outcome: Outcome, expected: tuple[str, int, int], method: str) -> None:
    assert row(outcome, method) == expected


def test_every_reason_not_to_send_has_a_row_and_only_a_forbidden_address_is_an_alarm() -> None:
    for reason in UnsentReason:
        verdict = judge(Unsent(reason), "GET")
        assert isinstance(verdict, Replaced)
        assert verdict.code == 4003
        assert (verdict.alarm is not None) is (reason is UnsentReason.FORBIDDEN)
    for outcome in (TimedOut(), Lost(), TooLarge(), answered(503), answered(500), answered(302), answered(200, b"[]")):
        verdict = judge(outcome, "GET")
        assert isinstance(verdict, Replaced)
        assert verdict.alarm is None


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("body", [b"", envelope(2000), envelope(1000), *NOT_ENVELOPES])
def test_f9_a_refused_token_is_never_relayed_and_an_alarm(body: bytes, method: str) -> None:
    verdict = judge(answered(401, body), method)

    assert isinstance(verdict, Replaced)
    assert (verdict.row, verdict.http, verdict.code) == ("F9", 200, StatusCode.CONNECTION_PROBLEM)
    assert verdict.alarm
    assert judge(streaming(401, envelope(2000)), method) == verdict


@pytest.mark.parametrize("code", [2000, 2001, 2999, 3001, 4001])
def test_f10_a_403_that_says_why_is_relayed_as_200(code: int) -> None:
    assert judge(answered(403, envelope(code)), "PUT") == Relayed(200, code)


@pytest.mark.parametrize("body", [b"", b" \n", envelope(1000), *NOT_ENVELOPES])
def test_f11_a_403_that_does_not_is_an_alarm(body: bytes) -> None:
    verdict = judge(answered(403, body), "PUT")

    assert isinstance(verdict, Replaced)
    assert (verdict.row, verdict.http, verdict.code) == ("F11", 200, 4003)
    assert verdict.alarm


@pytest.mark.parametrize("status", [400, 404, 405, 409, 410, 422, 429, 499])
def test_f12_f13_other_client_errors_keep_their_status(status: int) -> None:
    assert judge(answered(status, envelope(2003)), "GET") == Relayed(status, 2003)
    for body in (b"", *NOT_ENVELOPES):
        assert row(answered(status, body)) == ("F13", status, 2000)


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 599])
def test_f14_server_errors_with_an_envelope_are_relayed(status: int) -> None:
    assert judge(answered(status, envelope(3000)), "GET") == Relayed(status, 3000)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (502, ("F15", 200, 4003)),
        (503, ("F15", 200, 4003)),
        (504, ("F16", 200, 4002)),
        (500, ("F17", 200, 4000)),
        (501, ("F17", 200, 4000)),
        (599, ("F17", 200, 4000)),
    ],
)
@pytest.mark.parametrize("body", [b"", *NOT_ENVELOPES])
def test_f15_to_f17_server_errors_without(status: int, expected: tuple[str, int, int], body: bytes) -> None:
    assert row(answered(status, body)) == expected


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_success_and_ocpi_errors_are_relayed(status: int) -> None:
    for code in (1000, 1999, 2003, 3000, 4003):
        assert judge(answered(status, envelope(code)), "GET") == Relayed(status, code)


@pytest.mark.parametrize("body", NOT_ENVELOPES)
@pytest.mark.parametrize("status", [200, 201, 206])
def test_f18_success_that_is_no_envelope(status: int, body: bytes) -> None:
    assert row(answered(status, body, content_type="text/html")) == ("F18", 200, 4000)


@pytest.mark.parametrize("body", [b"", b"\r\n "])
@pytest.mark.parametrize("status", [200, 201, 204])
def test_f19_success_without_a_body(status: int, body: bytes) -> None:
    for method in PUSHES:
        assert row(answered(status, body), method) == ("F19", 200, 1000)
    assert row(answered(status, body), "GET") == ("F19", 200, 4000)


@pytest.mark.parametrize("status", [300, 301, 302, 304, 307, 308, 399])
def test_f20_redirects_are_not_followed(status: int) -> None:
    for body in (b"", envelope(1000)):
        assert row(answered(status, body, location="https://y.test/")) == ("F20", 200, 4000)
    assert row(streaming(status, envelope(1000))) == ("F20", 200, 4000)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("body", [b"", envelope(1000)])
def test_what_is_no_final_answer_is_no_success(body: bytes, method: str) -> None:
    assert row(answered(101, body), method) == ("F18", 200, 4000)


@pytest.mark.parametrize(
    "content_type", [None, "application/json", "Application/JSON; charset=utf-8", "application/x+json"]
)
def test_a_long_answer_is_judged_by_its_beginning(content_type: str | None) -> None:
    for status in (200, 201, 404, 500, 503):
        assert judge(streaming(status, b' \n{"data":[', content_type), "GET") == Relayed(status, None)
    assert judge(streaming(403, b"{", content_type), "GET") == Relayed(200, None)


@pytest.mark.parametrize(
    ("beginning", "content_type"),
    [(b"<html>", "application/json"), (b"[", "application/json"), (b"", None), (b'{"data":', "text/html")],
)
def test_a_long_answer_that_is_not_ocpi(beginning: bytes, content_type: str | None) -> None:
    expected = {200: ("F18", 200, 4000), 403: ("F11", 200, 4003), 404: ("F13", 404, 2000), 500: ("F17", 200, 4000)}
    for status, verdict in expected.items():
        assert row(streaming(status, beginning, content_type)) == verdict
    assert row(streaming(502, beginning, content_type)) == ("F15", 200, 4003)
    assert row(streaming(504, beginning, content_type)) == ("F16", 200, 4002)


@pytest.mark.parametrize(
    ("outcome", "alive"),
    [
        (answered(200, envelope(1000)), True),
        (answered(204), True),
        (answered(302), True),
        (answered(403), True),
        (answered(404), True),
        (answered(500), True),
        # a refused token is not a successful message. A gateway may answer for a platform that is away.
        (answered(401), None),
        (answered(502), None),
        (answered(503), None),
        (answered(504), None),
        (Unsent(UnsentReason.REFUSED), False),
        (Unsent(UnsentReason.DNS), False),
        (Unsent(UnsentReason.TLS), False),
        # The hub's own doing says nothing about the platform.
        (Unsent(UnsentReason.FORBIDDEN), None),
        (Unsent(UnsentReason.FULL), None),
        (Unsent(UnsentReason.UNUSABLE), None),
        (TimedOut(), None),
        (Lost(), None),
        (TooLarge(), None),
    ],
)
def test_what_a_leg_proves(outcome: Outcome, alive: bool | None) -> None:
    assert shows_life(outcome) is alive
