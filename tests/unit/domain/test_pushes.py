"""What becomes of a push, rule by rule."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.domain.catalog import ObjectKey, Push, Verdict
from hub.domain.pushes import covers, judge, part_of
from hub.ocpi import codec
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode

OWNER = PartyId("NL", "CPA")
LOCATION = ObjectKey("locations", OWNER, "LOC1")
TARIFF = ObjectKey("tariffs", OWNER, "T1")
TOKEN = ObjectKey("tokens", PartyId("NL", "EMA"), "04AA", "RFID")


def at(minute: int) -> str:
    return f"2026-01-01T00:{minute:02}:00Z"


def moment(minute: int) -> datetime:
    return datetime(2026, 1, 1, 0, minute, tzinfo=UTC)


def body(minute: int | None, **members: object) -> bytes:
    return codec.dumps(members if minute is None else {**members, "last_updated": at(minute)})


def location(minute: int | None, **members: object) -> bytes:
    return body(minute, **{"country_code": "NL", "party_id": "CPA", "id": "LOC1", **members})


def tariff(minute: int | None, **members: object) -> bytes:
    return body(minute, **{"country_code": "NL", "party_id": "CPA", "id": "T1", **members})


def token(minute: int | None, **members: object) -> bytes:
    return body(minute, **{"country_code": "NL", "party_id": "EMA", "uid": "04AA", "type": "RFID", **members})


def push(method: str, key: ObjectKey, text: bytes | None, *parts: str) -> Push:
    return Push(method, key, parts, text)


# A location with one EVSE of one connector, each level with a time of its own.
HELD = (
    b'{"country_code":"NL","party_id":"CPA","id":"LOC1","price":0.10,"evses":[{"uid":"E1","status":"AVAILABLE",'
    b'"connectors":[{"id":"1","max_voltage":230.0,"last_updated":"2026-01-01T00:10:00Z"}],'
    b'"last_updated":"2026-01-01T00:20:00Z"}],"last_updated":"2026-01-01T00:30:00Z"}'
)


def read(raw: bytes | None) -> Any:
    assert raw is not None
    return codec.loads(raw)


def nothing_comes_of(verdict: Verdict) -> bool:
    return (verdict.raw, verdict.removed, verdict.fan_out) == (None, False, False)


def refusal(verdict: Verdict) -> str:
    assert (verdict.http, verdict.code) == (200, StatusCode.INVALID_PARAMETERS)
    assert nothing_comes_of(verdict)
    assert not verdict.stale
    assert verdict.message is not None
    assert len(verdict.message) <= 255  # what `status_message` may hold
    return verdict.message


@pytest.mark.parametrize(("key", "make"), [(LOCATION, location), (TARIFF, tariff), (TOKEN, token)])
def test_a_whole_object_is_kept_as_received(key: ObjectKey, make: Any) -> None:
    text = b" \n" + make(5, price="x").replace(b'"x"', b"0.10") + b"\n"

    new = judge(push("PUT", key, text), None)
    assert new == Verdict(201, StatusCode.OK, raw=text, last_updated=moment(5), fan_out=True)

    for minute in (4, 5):  # an equal time is not older
        again = judge(push("PUT", key, text), make(minute, other=True))
        assert again == replace(new, http=200)


@pytest.mark.parametrize(("key", "make"), [(LOCATION, location), (TARIFF, tariff), (TOKEN, token)])
def test_an_older_object_is_a_success_of_which_nothing_comes(key: ObjectKey, make: Any) -> None:
    assert judge(push("PUT", key, make(5)), make(6)) == Verdict(200, StatusCode.OK, stale=True)


def test_times_are_compared_as_moments() -> None:
    later = location(None, last_updated="2026-01-01T02:00:00+02:00")  # 00:00 UTC

    assert judge(push("PUT", LOCATION, later), location(1)).stale
    assert judge(push("PUT", LOCATION, later), location(0)).raw == later
    assert judge(push("PUT", LOCATION, location(None, last_updated="2026-01-01T00:00:59.999")), location(1)).stale


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        (LOCATION, location(1, country_code="BE"), "country_code is 'BE'; by the URL it is 'NL'"),
        (TARIFF, tariff(1, party_id="CPB"), "party_id is 'CPB'; by the URL it is 'CPA'"),
        (TARIFF, tariff(1, id="T2"), "id is 'T2'; by the URL it is 'T1'"),
        (TARIFF, tariff(1, id=5), "id is 5; by the URL it is 'T1'"),
        (TARIFF, tariff(1, id="T1 "), "id is 'T1 '; by the URL it is 'T1'"),
        (TOKEN, token(1, uid="04BB"), "uid is '04BB'; by the URL it is '04AA'"),
        (TOKEN, token(1, type="APP_USER"), "type is 'APP_USER'; by the URL it is 'RFID'"),
        (
            LOCATION,
            body(1, party_id="CPA", id="LOC1"),
            "country_code is missing in the body; by the URL it is 'NL'",
        ),
        (
            TOKEN,
            body(1, country_code="NL", party_id="EMA", uid="04AA"),
            "type is missing in the body; by the URL it is 'RFID'",
        ),
        (LOCATION, location(None), "last_updated is missing"),
        (LOCATION, location(None, last_updated="yesterday"), 'last_updated is no date and time: "yesterday"'),
        (LOCATION, location(None, last_updated=None), "last_updated is no date and time: null"),
        (LOCATION, b"[]", "The body is of the wrong kind: expected `object`, got `array`"),
        (LOCATION, b"", "The body is not JSON: Input data was truncated"),
        (LOCATION, None, "The body is not JSON: Input data was truncated"),
        (LOCATION, b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "The body is nested too deeply"),
    ],
)
def test_what_a_body_must_say(key: ObjectKey, text: bytes | None, said: str) -> None:
    for held in (None, location(9)):
        assert refusal(judge(push("PUT", key, text), held)) == said


def test_a_long_value_is_shown_in_short() -> None:
    for value in ("x" * 100_000, ["y" * 100_000], "\x00" * 500):
        assert refusal(judge(push("PUT", LOCATION, location(1, id=value)), None)).startswith("id is ")
    assert refusal(judge(push("PUT", LOCATION, location(1).replace(b"LOC1", rb"L\ud83d")), None)) == (
        "id is 'L\ufffd'; by the URL it is 'LOC1'"
    )


def test_names_in_other_spellings_are_the_same_names() -> None:
    text = location(1, country_code="nl", party_id="cPa", id="loc1")

    assert judge(push("PUT", LOCATION, text), None).raw == text
    small = replace(TOKEN, object_id="04aa", kind="rfid")
    assert judge(push("PATCH", small, token(2, valid=False)), token(1)).fan_out


def test_an_evse_replaces_the_one_of_its_uid_and_no_other_byte_changes() -> None:
    evse = b'{ "uid":"e1", "last_updated":"2026-01-01T00:20:00.000Z" }'

    verdict = judge(push("PUT", LOCATION, evse, "E1"), HELD)

    assert verdict == Verdict(
        200,
        StatusCode.OK,
        raw=b'{"country_code":"NL","party_id":"CPA","id":"LOC1","price":0.10,"evses":[%b],'
        b'"last_updated":"2026-01-01T00:30:00Z"}' % evse,
        last_updated=moment(30),
        fan_out=True,
    )


@pytest.mark.parametrize("array", [b"", b',"evses":null', b',"evses":[ ]'])
def test_a_first_evse_makes_its_array(array: bytes) -> None:
    held = location(1)[:-1] + array + b"}"
    evse = body(5, uid="E1", connectors=None)

    verdict = judge(push("PUT", LOCATION, evse, "E1"), held)
    assert (verdict.http, verdict.code, verdict.fan_out, verdict.last_updated) == (201, 1000, True, moment(5))
    assert read(verdict.raw) == {**read(held), "evses": [read(evse)], "last_updated": at(5)}

    connector = body(6, id="1")
    verdict = judge(push("PUT", LOCATION, connector, "E1", "1"), verdict.raw)
    assert (verdict.http, verdict.last_updated) == (201, moment(6))
    assert read(verdict.raw)["evses"] == [{**read(evse), "connectors": [read(connector)], "last_updated": at(6)}]


def test_parents_take_the_time_of_the_child_as_the_child_spells_it() -> None:
    spelt = b'"2026-01-01T01:25:00.0+01:00"'  # 00:25: after the EVSE, before the location

    verdict = judge(push("PATCH", LOCATION, b'{"last_updated":%b}' % spelt, "E1", "1"), HELD)
    assert verdict.raw == HELD.replace(b'"2026-01-01T00:10:00Z"', spelt).replace(b'"2026-01-01T00:20:00Z"', spelt)
    assert verdict.last_updated == moment(30)

    spelt = b'"2026-01-01 00:30:00"'  # the same moment as the location
    verdict = judge(push("PATCH", LOCATION, b'{"last_updated":%b}' % spelt, "E1"), HELD)
    assert verdict.raw == HELD.replace(b'"2026-01-01T00:20:00Z"', spelt).replace(b'"2026-01-01T00:30:00Z"', spelt)
    assert verdict.last_updated == moment(30)


def test_a_parent_without_a_time_that_can_be_read_takes_the_childs() -> None:
    held = location(None, last_updated="?", evses=[{"uid": "E1", "connectors": [{"id": "1", "last_updated": 5}]}])

    verdict = judge(push("PUT", LOCATION, body(3, id="1"), "E1", "1"), held)

    assert (verdict.http, verdict.last_updated) == (200, moment(3))
    assert read(verdict.raw)["last_updated"] == read(verdict.raw)["evses"][0]["last_updated"] == at(3)


@pytest.mark.parametrize(("parts", "member", "own"), [(("E1",), "uid", 20), (("E1", "1"), "id", 10)])
def test_time_is_compared_at_the_level_addressed(parts: tuple[str, ...], member: str, own: int) -> None:
    for method in ("PUT", "PATCH"):
        older = push(method, LOCATION, body(own - 1, **{member: parts[-1]}), *parts)
        assert judge(older, HELD) == Verdict(200, StatusCode.OK, stale=True)

        equal = push(method, LOCATION, body(own, **{member: parts[-1]}), *parts)
        verdict = judge(equal, HELD)
        assert (verdict.http, verdict.fan_out, verdict.last_updated) == (200, True, moment(30))
    assert judge(push("PUT", LOCATION, location(29)), HELD).stale


@pytest.mark.parametrize(
    ("method", "text", "parts", "said"),
    [
        ("PUT", body(40, uid="E2"), ("E1",), "uid is 'E2'; by the URL it is 'E1'"),
        ("PUT", body(40), ("E1",), "uid is missing in the body; by the URL it is 'E1'"),
        ("PUT", body(40, id="2"), ("E1", "1"), "id is '2'; by the URL it is '1'"),
        ("PUT", body(None, uid="E1"), ("E1",), "last_updated is missing"),
        ("PATCH", body(40, uid="E2"), ("E1",), "uid is 'E2'; by the URL it is 'E1'"),
        ("PATCH", body(40, id=None), ("E1", "1"), "id is null; by the URL it is '1'"),
        ("PATCH", body(None, status="X"), ("E1",), "last_updated is missing"),
        ("PATCH", b"null", ("E1",), "The body is of the wrong kind: expected `object`, got `null`"),
        ("PUT", body(40, id="1"), ("E1", "1", "1"), "There is no such part of an object"),
    ],
)
def test_what_the_body_of_a_part_must_say(method: str, text: bytes, parts: tuple[str, ...], said: str) -> None:
    for held in (None, HELD):
        assert refusal(judge(push(method, LOCATION, text, *parts), held)) == said


def test_a_patch_changes_the_members_it_names_and_no_other_byte() -> None:
    text = b'{"status" : "CHARGING","tag":1.50, "last_updated":"2026-01-01T00:40:00Z"}'

    verdict = judge(push("PATCH", LOCATION, text, "e1"), HELD)

    assert verdict == Verdict(
        200,
        StatusCode.OK,
        raw=HELD.replace(b'"AVAILABLE"', b'"CHARGING"')
        .replace(b'"2026-01-01T00:20:00Z"}', b'"2026-01-01T00:40:00Z","tag":1.50}')
        .replace(b'"2026-01-01T00:30:00Z"', b'"2026-01-01T00:40:00Z"'),
        last_updated=moment(40),
        fan_out=True,
    )


def test_a_patch_replaces_lists_as_a_whole() -> None:
    verdict = judge(push("PATCH", LOCATION, body(31, evses=[{"uid": "E2"}])), HELD)

    assert read(verdict.raw) == {**read(HELD), "evses": [{"uid": "E2"}], "last_updated": at(31)}


def test_a_patch_of_a_token_and_its_time() -> None:
    held = token(5, valid=True)

    verdict = judge(push("PATCH", TOKEN, body(6, valid=False)), held)
    assert (verdict.http, read(verdict.raw), verdict.last_updated) == (200, read(token(6, valid=False)), moment(6))
    assert judge(push("PATCH", TOKEN, body(4, valid=False)), held).stale


def test_a_patch_changes_no_identity() -> None:
    assert refusal(judge(push("PATCH", TOKEN, body(9, type="OTHER")), token(1))).startswith("type is 'OTHER'")
    assert refusal(judge(push("PATCH", LOCATION, body(31, party_id="CPB")), HELD)).startswith("party_id is 'CPB'")
    assert judge(push("PATCH", LOCATION, body(31, party_id="cpa", id="loc1")), HELD).fan_out


@pytest.mark.parametrize(
    ("one", "held", "code"),
    [
        (push("PATCH", LOCATION, body(1)), None, 2003),
        (push("PATCH", TOKEN, body(1)), None, 2004),
        (push("PATCH", replace(TARIFF, module="sessions"), body(1)), None, 2001),
        (push("DELETE", TARIFF, None), None, 2001),
        (push("PUT", LOCATION, body(50, uid="E1"), "E1"), None, 2003),
        (push("PATCH", LOCATION, body(50), "E2"), HELD, 2003),
        (push("PUT", LOCATION, body(50, id="1"), "E2", "1"), HELD, 2003),
        (push("PATCH", LOCATION, body(50), "E1", "2"), HELD, 2003),
        # What cannot be read is not there; a PUT of the whole, which the client is to send now, mends it.
        (push("PATCH", LOCATION, body(50)), b"{broken", 2003),
        (push("PUT", LOCATION, body(50, uid="E1"), "E1"), location(1, evses={"uid": "E1"}), 2003),
        (push("PUT", LOCATION, body(50, id="1"), "E1", "1"), b"[]", 2003),
    ],
)
def test_what_is_not_held_is_told_as_such(one: Push, held: bytes | None, code: int) -> None:
    verdict = judge(one, held)

    assert (verdict.http, verdict.code, verdict.stale) == (404, code, False)
    assert nothing_comes_of(verdict)
    assert verdict.message is not None
    assert one.key.object_id in verdict.message
    assert all(part in verdict.message for part in one.parts)


def test_an_unreadable_object_is_mended_by_a_whole_one() -> None:
    assert judge(push("PUT", LOCATION, location(1)), b"{broken").http == 201


def test_what_was_accepted_stays_readable_further_up_the_stack() -> None:
    """How deep a text may be nested is what is left of the interpreter's stack: a body must not use it up."""

    def nested(levels: int) -> Push:
        deep = body(40, uid="E1", deep="?").replace(b'"?"', b"[" * levels + b"]" * levels)
        return push("PUT", LOCATION, deep, "E1")

    def patched(held: bytes | None, frames: int) -> Verdict:
        if frames:
            return patched(held, frames - 1)
        return judge(push("PATCH", LOCATION, body(41, status="CHARGING"), "E1"), held)

    assert not judge(nested(100_000), HELD).fan_out
    accepted = [verdict.raw for levels in range(0, 5000, 50) if (verdict := judge(nested(levels), HELD)).fan_out]

    assert len(accepted) > 1
    assert patched(accepted[-1], frames=100).fan_out


def test_only_tariffs_are_deleted() -> None:
    assert judge(push("DELETE", TARIFF, None), tariff(1)) == Verdict(200, StatusCode.OK, removed=True, fan_out=True)
    # Nothing has to be read to forget it.
    assert judge(push("DELETE", TARIFF, None), b"{broken").removed
    for key, held, parts in ((LOCATION, HELD, ()), (LOCATION, HELD, ("E1",)), (TOKEN, token(1), ()), (TOKEN, None, ())):
        assert refusal(judge(push("DELETE", key, None, *parts), held)) == "Only tariffs can be deleted"


def test_what_is_no_push_is_refused() -> None:
    assert refusal(judge(push("PATCH", TARIFF, body(2)), tariff(1))) == "Tariffs are changed by PUT alone"
    assert refusal(judge(push("PUT", TOKEN, token(1), "E1"), None)) == "There is no such part of an object"
    assert refusal(judge(push("POST", TARIFF, tariff(1)), None)) == "'POST' changes no object"


def test_parts_are_found_as_text() -> None:
    assert part_of(HELD, ()) == HELD
    assert part_of(HELD, ("e1", "1")) == b'{"id":"1","max_voltage":230.0,"last_updated":"2026-01-01T00:10:00Z"}'
    evse = part_of(HELD, ("E1",))
    assert evse is not None
    assert evse in HELD
    assert read(evse) == read(HELD)["evses"][0]
    for parts in (("E2",), ("E2", "1"), ("E1", "2"), ("E1", "1", "1")):
        assert part_of(HELD, parts) is None
    assert part_of(b"{broken", ("E1",)) is None


WHOLE = push("PUT", LOCATION, location(5))
EVSE = push("PUT", LOCATION, body(5, uid="E1"), "E1")
CONNECTOR = push("PUT", LOCATION, body(5, id="1"), "E1", "1")
PATCHED = push("PATCH", LOCATION, body(5, name="n"))
EVSE_PATCHED = push("PATCH", LOCATION, body(5, status="CHARGING"), "e1")
CONNECTOR_PATCHED = push("PATCH", LOCATION, body(5), "E1", "1")


def test_a_whole_covers_whatever_was_said_of_the_object() -> None:
    other = replace(WHOLE, key=replace(LOCATION, object_id="LOC2"))
    spelt = replace(WHOLE, key=replace(LOCATION, owner=PartyId("nl", "cpa"), object_id="loc1"))

    for waiting in (WHOLE, EVSE, CONNECTOR, PATCHED, EVSE_PATCHED, CONNECTOR_PATCHED):
        assert covers(WHOLE, waiting)
        assert covers(spelt, waiting)
        assert not covers(other, waiting)
    put, deleted = push("PUT", TARIFF, tariff(1)), push("DELETE", TARIFF, None)
    assert covers(put, deleted)
    assert covers(deleted, put)
    assert covers(deleted, deleted)
    assert not covers(deleted, push("DELETE", replace(TARIFF, owner=PartyId("NL", "CPB")), None))


def test_a_part_covers_itself_and_what_is_below() -> None:
    assert all(covers(EVSE, waiting) for waiting in (EVSE, EVSE_PATCHED, CONNECTOR, CONNECTOR_PATCHED))
    assert not any(covers(EVSE, waiting) for waiting in (WHOLE, PATCHED, push("PATCH", LOCATION, body(5), "E2")))
    assert [covers(CONNECTOR, waiting) for waiting in (CONNECTOR, CONNECTOR_PATCHED, EVSE)] == [True, True, False]


def test_a_patch_covers_a_patch_that_says_no_more() -> None:
    def patch(*parts: str, **members: object) -> Push:
        return push("PATCH", LOCATION, body(6, **members), *parts)

    assert covers(patch("E1", status="A"), patch("e1", status="B"))
    assert covers(patch("E1", status="A", floor="1"), patch("E1", status="B"))
    assert not covers(patch("E1", status="A"), patch("E1", status="B", floor="1"))
    assert not covers(patch("E1", status="A"), patch("E2", status="A"))
    assert not covers(patch("E1", status="A"), patch("E1", "1", status="A"))
    assert not covers(patch(status="A"), patch("E1", status="A"))
    assert not covers(patch("E1", uid="E1"), EVSE)
    assert not covers(push("PATCH", LOCATION, b"{", "E1"), patch("E1"))
    assert not covers(patch("E1"), push("PATCH", LOCATION, None, "E1"))
