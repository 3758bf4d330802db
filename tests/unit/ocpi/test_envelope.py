"""Scanning bodies, reading verdicts, swapping one text."""

import tracemalloc
from datetime import UTC, datetime

import pytest

from hub.ocpi import codec, envelope
from hub.ocpi.envelope import Facts, replace_text, scan_request, status_code_of, verdict_of
from hub.ocpi.status import StatusCode, default_message

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_hubs_own_envelope() -> None:
    assert envelope.render(StatusCode.OK, data=[], now=NOW) == (
        b'{"data":[],"status_code":1000,"status_message":"Success","timestamp":"2026-01-01T00:00:00.000Z"}'
    )
    assert codec.loads(envelope.render(StatusCode.UNKNOWN_RECEIVER, now=NOW)) == {
        "status_code": 4001,
        "status_message": default_message(StatusCode.UNKNOWN_RECEIVER),
        "timestamp": "2026-01-01T00:00:00.000Z",
    }
    assert codec.loads(envelope.render(2999, data=None, now=NOW)) == {
        "data": None,
        "status_code": 2999,
        "timestamp": "2026-01-01T00:00:00.000Z",
    }
    assert b'"status_message":"no"' in envelope.render(StatusCode.OK, "no", now=NOW)


def facts_of(body: bytes) -> Facts:
    found = scan_request(body)
    assert isinstance(found, Facts), found
    return found


def test_facts_of_a_command() -> None:
    facts = facts_of(
        b'{"response_url":"https:\\/\\/e.test\\u002f1","token":{"country_code":"NL","party_id":"EMA","uid":"1"},'
        b'"expiry_date":"2026-01-01T00:00:00Z","country_code":"DE","party_id":"EMB","x":[{"response_url":"no"}]}'
    )

    assert facts.response_url == "https://e.test/1"
    assert facts.has_response_url
    assert facts.owner == ("DE", "EMB")
    assert facts.token_owner == ("NL", "EMA")
    assert facts.expiry_date == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize("body", [b"{}", b"[]", b"1", b'"x"', b"null", b" [1, {}] ", b'{"data":{"party_id":"X"}}'])
def test_bodies_without_facts(body: bytes) -> None:
    facts = facts_of(body)

    assert (facts.owner, facts.token_owner) == ((None, None), (None, None))
    assert (facts.response_url, facts.expiry_date, facts.has_response_url) == (None, None, False)


def test_members_of_another_kind_are_no_texts() -> None:
    facts = facts_of(b'{"response_url":5,"country_code":null,"party_id":["X"],"token":"x","expiry_date":{}}')

    assert (facts.response_url, facts.has_response_url) == (None, True)
    assert (facts.owner, facts.token_owner, facts.expiry_date) == ((None, None), (None, None), None)
    assert facts_of(b'{"token":{"party_id":1}}').token_owner == (None, None)
    assert Facts.none().owner == (None, None)


VALID = [
    b'{"a":"\x7f"}',
    '{"a":"\u2028Ã"}'.encode(),
    b'{"a":1e999,"b":-0,"c":1E+2,"d":' + b"1" * 400 + b"}",
    b'{"a":1,"a":2}',
    b'{"":{"":[]}}',
    b"\t\r\n {}\n",
    b"[" * 500 + b"]" * 500,
    # Half a surrogate pair: no text, but JSON (RFC 8259, 8.2), and nothing the hub has to read.
    b'{"name":"cut off \\ud83d"}',
    b'{"\\uDC00":1,"name":"\\ud83d\\ude00"}',
    b'["\\ud800\\ud800"]',
]

INVALID = [
    b"",
    b" ",
    b"{",
    b'{"id":',
    b'{"a":1,}',
    b"[1,]",
    b"{'a':1}",
    b"{a:1}",
    b'{"a" 1}',
    b'{"a":1 "b":2}',
    b"{} {}",
    b"{}x",
    b"{}\x00",
    b'{"a":01}',
    b'{"a":1.}',
    b'{"a":.5}',
    b'{"a":+1}',
    b'{"a":1e}',
    b'{"a":-}',
    b'{"a":0x1}',
    b'{"a":NaN}',
    b'{"a":Infinity}',
    b'{"a":-Infinity}',
    b'{"a":True}',
    b'{"a":tru}',
    b'{"a":"\x01"}',
    b'{"a":"\t"}',
    b'{"a":"\\x41"}',
    b'{"a":"\\u12G4"}',
    b'{"a":"\\ud83d}',
    b'{"a":"\\ud83d",}',
    b'{"a":"\xff"}',
    b'{"a":"\xed\xa0\x80"}',
    b'{"a":"\xc0\xaf"}',
    b'{"\xff":1}',
    b"\xef\xbb\xbf{}",
    b"\x0b{}",
    b"{}\xc2\xa0",
    b"[" * 5000 + b"]" * 5000,
    b"[" * 100_000,
]


@pytest.mark.parametrize("body", VALID)
def test_json_is_accepted(body: bytes) -> None:
    facts_of(body)


@pytest.mark.parametrize("body", INVALID)
def test_what_is_no_json_is_refused_in_a_sentence(body: bytes) -> None:
    problem = scan_request(body)

    assert isinstance(problem, str)
    assert problem.startswith("the body is ")
    assert len(problem) < 120


def test_a_refusal_says_what_is_wrong() -> None:
    assert scan_request(b"[" * 5000 + b"]" * 5000) == "the body is nested too deeply"
    assert scan_request(b'{"a":"\xff"}') == "the body is not UTF-8 (byte 6)"
    assert str(scan_request(b'{"a":1,}')).startswith("the body is not JSON: ")


def test_facts_beside_half_a_surrogate_pair_are_read() -> None:
    facts = facts_of(
        b'{"name":"\\ud83d","party_id":"EMA","country_code":"NL","token":{"party_id":"A","country_code":"B"}}'
    )

    assert (facts.owner, facts.token_owner) == (("NL", "EMA"), ("B", "A"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"status_code":1000}', 1000),
        (b' {"data":[{"status_code":5}],"status_code":2003,"timestamp":"t"} ', 2003),
        (b'{"status_code":1000,"data":[1e999,"\\ud83d"]}', 1000),
        (b'{"status_code":4999}', 4999),
        (b'{"status_code":"1000"}', None),
        (b'{"status_code":null}', None),
        (b'{"status_code":true}', None),
        (b'{"status_code":1000.5}', None),
        (b'{"data":1}', None),
        (b"[1000]", None),
        (b"1000", None),
        (b"", None),
        (b"<html>", None),
        (b'{"status_code":1000', None),
        (b'{"status_code":1000}}', None),
        (b'{"status_code":1000,"data":"\xff"}', None),
        (b'{"status_code":1000,"data":NaN}', None),
        (b'{"status_code":1000,"data":' + b"[" * 5000 + b"]" * 5000 + b"}", None),
    ],
)
def test_the_status_code_of_an_answer(body: bytes, expected: int | None) -> None:
    assert status_code_of(body) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"result":"ACCEPTED","timeout":30,"message":[{"text":"x"}]}', ("ACCEPTED", 30.0)),
        (b'{"result":"REJECTED"}', ("REJECTED", 0.0)),
        (b'{"result":"ACCEPTED","timeout":1.5}', ("ACCEPTED", 1.5)),
        (b"{}", ("", 0.0)),
        (b'{"result":"ACCEPTED","timeout":"30"}', None),
        (b'{"result":"ACCEPTED","timeout":1e999}', None),
        (b'{"result":null}', None),
        (b'[{"result":"ACCEPTED"}]', None),
        (b"null", None),
    ],
)
def test_the_verdict_in_a_synchronous_answer(data: bytes, expected: tuple[str, float] | None) -> None:
    assert verdict_of(b'{"status_code":1000,"data":' + data + b"}") == expected


@pytest.mark.parametrize("body", [b"", b"{}", b'{"status_code":1000}', b'{"data":{"result":"ACCEPTED"}}'])
def test_answers_without_a_verdict(body: bytes) -> None:
    assert verdict_of(body) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"u":"x"}', b'{"u":"NEW"}'),
        (b' {\n "a" : 0.10 ,\t"u" : "x\\"}, \\\\" ,"b":1E2}\n', b' {\n "a" : 0.10 ,\t"u" : "NEW" ,"b":1E2}\n'),
        (b'{"u":"x","a":{"u":"in"},"u":"y"}', b'{"u":"NEW","a":{"u":"in"},"u":"NEW"}'),
        (b'{"\\u0075":"x"}', b'{"\\u0075":"NEW"}'),
        (b'{"a":["u",{"u":1}],"u" :null}', b'{"a":["u",{"u":1}],"u" :"NEW"}'),
        (b'{"u":{"u":["]","}"]},"z":"u"}', b'{"u":"NEW","z":"u"}'),
        (b'{"u":[ ] }', b'{"u":"NEW" }'),
        (b'{"u":-1.5e3\n}', b'{"u":"NEW"\n}'),
        (b'{"a":"u\\":","b":"\\\\"}', b'{"a":"u\\":","b":"\\\\"}'),
        (b'{"\\ud800":1,"u":2}', b'{"\\ud800":1,"u":"NEW"}'),
        (b'{"U":1}', b'{"U":1}'),
        (b"{}", b"{}"),
        (b'[{"u":1}]', b'[{"u":1}]'),
        (b'"u"', b'"u"'),
        (b"7", b"7"),
    ],
)
def test_only_the_top_level_member_is_swapped(body: bytes, expected: bytes) -> None:
    assert isinstance(scan_request(body), Facts)
    assert replace_text(body, "u", "NEW") == expected


def test_the_new_text_is_escaped() -> None:
    assert replace_text(b'{"u":1}', "u", 'a"\\\né') == '{"u":"a\\"\\\\\\né"}'.encode()


@pytest.mark.parametrize("unit", [b"a", b"\\n", b"\xc3\xa9"])
def test_swapping_costs_no_more_memory_than_the_body_is_long(unit: bytes) -> None:
    body = b'{"u":"x","long":"' + unit * 200_000 + b'"}'

    tracemalloc.start()
    try:
        swapped = replace_text(body, "u", "y")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert swapped == body.replace(b'"x"', b'"y"', 1)
    assert peak < 4 * len(body)
