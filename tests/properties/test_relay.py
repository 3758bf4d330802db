"""Table F is total, and some things never happen whatever a receiver sends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.outcome import Answer, Lost, Outcome, TimedOut, TooLarge, Unsent, UnsentReason
from hub.domain.relay import Relayed, Replaced, judge, shows_life
from hub.ocpi.envelope import status_code_of
from hub.ocpi.status import StatusCode
from tests.properties.json_texts import documents

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TABLE_S = {1000, 2000, 2001, 2002, 2003, 2004, 3000, 3001, 3002, 3003, 4000, 4001, 4002, 4003}
ENVELOPES = st.integers(0, 9999).map(lambda code: b'{"data":[],"status_code":%d}' % code)
BODIES = ENVELOPES | documents() | st.binary(max_size=8) | st.sampled_from([b"", b"{}", b'{"status_code":"1000"}'])
TYPES = st.sampled_from([None, "application/json", "text/html", "application/json;charset=utf-8", ""])


class NoRest:
    def __aiter__(self) -> "NoRest":
        return self

    async def __anext__(self) -> bytes:
        raise StopAsyncIteration

    def close(self) -> None:
        """Nothing is held."""


@st.composite
def answers(draw: st.DrawFn, statuses: st.SearchStrategy[int]) -> Answer:
    content_type = draw(TYPES)
    headers = {} if content_type is None else {"content-type": content_type}
    return Answer(draw(statuses), headers, draw(BODIES), rest=NoRest() if draw(st.booleans()) else None)


def check(outcome: Outcome, method: str) -> None:
    verdict = judge(outcome, method)

    assert shows_life(outcome) in (True, False, None)
    assert verdict.http != 401
    assert verdict.http == 200 or isinstance(outcome, Answer)
    assert 200 <= verdict.http <= 599
    assert not 300 <= verdict.http < 400
    if isinstance(verdict, Replaced):
        assert verdict.code in TABLE_S
        assert isinstance(verdict.code, StatusCode)
        assert verdict.message
        # The hub says 1000 in a receiver's place for an empty answer to a push alone (F19), and 2000 for F13 alone.
        assert (verdict.code == 1000) is (verdict.row == "F19" and method != "GET")
        assert (verdict.code == 2000) is (verdict.row == "F13")
        assert verdict.http == 200 or verdict.row == "F13"
        return
    assert isinstance(verdict, Relayed)
    assert isinstance(outcome, Answer)
    assert verdict.http == (200 if outcome.status == 403 else outcome.status)
    if outcome.rest is None:
        assert verdict.code == status_code_of(outcome.body) is not None
    else:
        assert verdict.code is None
        assert outcome.body.lstrip().startswith(b"{")


def test_every_status_has_a_verdict_for_every_method() -> None:
    bodies = (b"", b" ", b"<html>", b"{}", b'{"status_code":1000}', b'{"status_code":2003}', b'{"status_code":4001}')
    for status in range(100, 600):
        for body in bodies:
            for method in METHODS:
                check(Answer(status, {}, body), method)
            check(Answer(status, {}, body, rest=NoRest()), "GET")


@settings(max_examples=150)
@given(answers(st.integers(100, 599) | st.sampled_from([200, 201, 401, 403, 404])), st.sampled_from(METHODS))
def test_no_answer_has_no_verdict(answer: Answer, method: str) -> None:
    check(answer, method)


def test_neither_has_the_lack_of_one() -> None:
    outcomes: list[Outcome] = [*(Unsent(reason) for reason in UnsentReason), TimedOut(), Lost("detail"), TooLarge()]
    for outcome in outcomes:
        for method in METHODS:
            check(outcome, method)
            verdict = judge(outcome, method)
            assert isinstance(verdict, Replaced)
            assert "detail" not in verdict.message


@given(answers(st.just(401)), st.sampled_from(METHODS))
def test_a_refused_token_never_reaches_the_requester(answer: Answer, method: str) -> None:
    verdict = judge(answer, method)

    assert isinstance(verdict, Replaced)
    assert (verdict.http, verdict.code) == (200, StatusCode.CONNECTION_PROBLEM)
    assert verdict.alarm
