"""Which bodies of an exchange are checked, whose they are, and where their pointers lead."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.ocpi import codec
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.plugin import Body as Reading
from hub.plugin import Content, Exchange, Kind
from hub.sandbox import objects
from plugins.schema_check.judging import Direction, Judge, Judged
from tests.unit.plugins.exchanges import ABC, XYZ, answered, finished, leg_of, received
from tests.unit.plugins.schema_check.bodies import LIMIT, asked, content, envelope, location, push, wrong_location

JUDGE = Judge(max_body=LIMIT, most_findings=20)
QRS = PartyId("FR", "QRS")


def pointers(judged: Judged | None) -> list[str]:
    assert judged is not None
    assert judged.found is not None
    return [one.pointer for one in judged.found]


def answers(exchange: Exchange, judge: Judge = JUDGE) -> list[tuple[PartyId | None, list[str]]]:
    found = list(judge.answers(exchange))
    assert {one.direction for one in found} <= {Direction.ANSWER}
    return [(one.party, pointers(one)) for one in found]


def test_a_request_is_its_senders() -> None:
    assert JUDGE.request(push(location())) == Judged(ABC, Direction.REQUEST, [])
    judged = JUDGE.request(push(wrong_location()))
    assert judged is not None
    assert judged.party == ABC
    assert pointers(judged) == ["/city", "/evses/0/uid"]


def test_a_patch_may_leave_things_out_and_a_put_may_not() -> None:
    exchange = push({"last_updated": "2026-01-01T00:00:00Z"})
    assert "/id" in pointers(JUDGE.request(exchange))
    exchange.method = "PATCH"
    assert pointers(JUDGE.request(exchange)) == []


def test_what_the_hub_pulled_and_sends_on_is_the_owners() -> None:
    exchange = push(wrong_location(), kind=Kind.BROADCAST)
    exchange.request_id, exchange.sender, exchange.owner = "", PartyId("EU", "HUB"), ABC
    judged = JUDGE.request(exchange)
    assert judged is not None
    assert judged.party == ABC


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({"module": "x-weather"}, "a"),
        ({"module": "commands"}, "DANCE"),
        ({"version": "2.1.1"}, "NL/ABC/LOC1"),
        ({"interface": None}, "NL/ABC/LOC1"),
        ({"method": "DELETE"}, "NL/ABC/LOC1"),
    ],
)
def test_what_has_no_model_is_not_checked(members: dict[str, Any], path: str) -> None:
    exchange = push({"anything": 1})
    exchange.path = path
    for name, value in members.items():
        setattr(exchange, name, value)
    assert JUDGE.request(exchange) is None


def test_no_body_is_no_wrong_one() -> None:
    assert JUDGE.request(received()) is None


def test_every_receiver_of_a_broadcast_is_judged_by_its_own_answer() -> None:
    exchange = received(request=content(location()))
    right, wrong, silent = (answered(leg_of(exchange, party)) for party in (ABC, XYZ, QRS))
    right.answer, wrong.answer = content(envelope()), content({"status_code": "1000"})
    silent.outcome, silent.answer = "F6", content({})
    finished(exchange, right, wrong, silent, kind=Kind.BROADCAST, answer=content({"nobody": "looks"}))

    assert answers(exchange) == [(ABC, []), (XYZ, ["/status_code", "/timestamp"])]


def test_an_answer_without_a_body_or_in_another_version_is_left_alone() -> None:
    exchange = push(location(), answer=b"")
    assert answers(exchange) == []
    exchange = push(location(), answer={})
    exchange.legs[0].version = "2.1.1"
    assert answers(exchange) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (envelope(data=[]), []),
        (envelope(), ["/data"]),
        (envelope(data=None), ["/data"]),
        (envelope(status_code=2001), []),
        (envelope(status_code=2001, data=5), []),
        (envelope(status_code=Decimal("1000.5"), data=5), ["/status_code"]),
        (envelope(status_code=True, data=5), ["/status_code"]),
        ({"data": []}, ["/status_code", "/timestamp"]),
        (envelope(data=[], timestamp="yesterday"), ["/timestamp"]),
        (envelope(data=[], timestamp="2026-01-01T00:00:00+01:00"), ["/timestamp"]),
        ([], [""]),
        (b"null", [""]),
        (b'{"status_code": 1000, "timestamp": "\\ud800"}', [""]),
    ],
)
def test_the_envelope_and_whether_data_counts(answer: object, expected: list[str]) -> None:
    assert answers(asked(answer)) == [(XYZ, expected)]


def test_a_list_says_which_object() -> None:
    rows = [location(), location(), location(), wrong_location()]
    assert answers(asked(envelope(data=rows))) == [(XYZ, ["/data/3/city", "/data/3/evses/0/uid"])]


def test_a_single_object_is_below_data() -> None:
    assert answers(asked(envelope(data=wrong_location()), path="LOC1")) == [(XYZ, ["/data/city", "/data/evses/0/uid"])]


def test_objects_of_the_catalog_are_their_owners() -> None:
    rows = [
        objects.token("NL/ABC") | {"valid": "yes"},
        objects.token("DE/XYZ"),
        objects.token("nl/abc") | {"uid": None},
        {"uid": 1},
        objects.token("FR/QRS") | {"party_id": "Q/S"},
    ]
    found = answers(asked(envelope(data=rows), "tokens", kind=Kind.GET_ALL))

    assert found[0] == (ABC, ["/data/0/valid", "/data/2/uid"])
    assert found[1] == (XYZ, [])
    assert found[2][0] is None
    assert {pointer.split("/")[2] for pointer in found[2][1]} == {"3"}
    assert len(found) == 3


def test_a_part_of_a_location_out_of_the_catalog_is_of_the_owner_in_the_path() -> None:
    evse = {key: value for key, value in objects.evse().items() if key != "status"}
    exchange = asked(envelope(data=evse), path="NL/ABC/LOC1/E1", kind=Kind.GET_ALL)
    exchange.interface, exchange.owner = Interface.RECEIVER, ABC
    assert answers(exchange) == [(ABC, ["/data/status"])]


@pytest.mark.parametrize("answer", [envelope(status_code=4000), envelope(data={"a": 1}), envelope(), [], b""])
def test_the_hubs_own_answers_are_not_judged(answer: object) -> None:
    assert answers(asked(answer, kind=Kind.GET_ALL)) == []


def test_a_plugins_list_is_nobodys() -> None:
    exchange = asked(envelope(data=[5]), kind=Kind.GET_ALL)
    exchange.outcome = "plugin"
    assert answers(exchange) == []


def test_results_of_commands_are_checked_on_their_way_back() -> None:
    exchange = push({"result": "MAYBE"}, kind=Kind.CALLBACK)
    exchange.module, exchange.interface, exchange.method = "commands", Interface.SENDER, "POST"
    exchange.path = "START_SESSION/4f2a"
    assert pointers(JUDGE.request(exchange)) == ["/result"]
    assert answers(exchange) == [(XYZ, [])]


def test_what_is_too_large_is_said_to_be_unchecked() -> None:
    small = Judge(max_body=20, most_findings=20)
    assert small.request(push(wrong_location())) == Judged(ABC, Direction.REQUEST, None)
    assert list(small.answers(push(location()))) == [Judged(XYZ, Direction.ANSWER, None)]
    assert list(small.answers(asked(envelope(data=[]), kind=Kind.GET_ALL))) == [Judged(None, Direction.ANSWER, None)]

    exchange = push(location())
    exchange.legs[0].answer = Content(b"{", Reading.READ, LIMIT, streams=True)
    exchange.request = Content(b"{}", Reading.READ, 1)
    assert list(JUDGE.answers(exchange)) == [Judged(XYZ, Direction.ANSWER, None)]
    assert JUDGE.request(exchange) == Judged(ABC, Direction.REQUEST, None)


def test_what_has_too_many_values_is_not_even_parsed() -> None:
    """What a body costs goes by them, and small bodies can have very many."""
    judge = Judge(max_body=256 * 1024, most_findings=20)
    for dense in (b"[" + b"{}," * 22_000 + b"{}]", b"[" * 22_000, b'{"a":' * 22_000, b"," * 22_000):
        assert judge.request(push(dense)) == Judged(ABC, Direction.REQUEST, None), dense[:9]
        assert judge.request(push(dense[:9_000])) != Judged(ABC, Direction.REQUEST, None), dense[:9]
    many = push({"evses": [1] * 22_000})
    assert judge.request(many) == Judged(ABC, Direction.REQUEST, None)
    assert "/evses/0" in pointers(Judge(max_body=1024 * 1024, most_findings=20).request(many))


def test_a_body_as_large_as_allowed_and_full_of_right_objects_is_checked() -> None:
    judge = Judge(max_body=256 * 1024, most_findings=20)
    for one, module in ((location(), "locations"), (objects.token("NL/ABC"), "tokens")):
        count = (judge.max_body - 100) // (len(codec.dumps(one)) + 1)
        assert answers(asked(envelope(data=[one] * count), module), judge) == [(XYZ, [])]


def test_no_more_findings_than_wanted() -> None:
    judge = Judge(max_body=LIMIT, most_findings=3)
    rows = [5, 6, 7, 8]
    assert answers(asked(envelope(data=rows)), judge) == [(XYZ, ["/data/0", "/data/1", "/data/2"])]
    assert answers(asked(envelope(data=rows), kind=Kind.GET_ALL), judge) == [(None, ["/data/0", "/data/1", "/data/2"])]
    assert len(pointers(judge.request(push({})))) == 3


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.decimals(-(10**6), 10**6, places=3)
NAMES = st.sampled_from(
    ["data", "status_code", "timestamp", "evses", "connectors", "id", "last_updated", "country_code"]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None)
@given(value=VALUES, kind=st.sampled_from([Kind.DIRECT, Kind.GET_ALL]), path=st.sampled_from(["", "L", "L/E", "L/E/C"]))
def test_any_json_is_judged_and_nothing_raised(value: object, kind: Kind, path: str) -> None:
    raw = codec.dumps(value)
    for body in (value, envelope(data=value), envelope(data=[value])):
        for judged in JUDGE.answers(asked(body, path=path, kind=kind)):
            assert judged.found is not None
            assert all(one.pointer == "" or one.pointer.startswith("/") for one in judged.found)
    judged_request = JUDGE.request(push(raw))
    assert judged_request is not None
    assert judged_request.found  # nothing of this is a whole location
