"""What in a message names its receiver, row by row of the "open routing" column of the endpoint tables, and what it
teaches.
"""

from typing import Any

import pytest

from hub.domain import open_routing
from hub.domain.open_routing import Clues, Lesson, Message, clues, lessons
from hub.ocpi import codec, envelope
from hub.ocpi.envelope import Facts
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId

S, R = Interface.SENDER, Interface.RECEIVER
CPA, EMA, EMB, SCS = (PartyId(*text.split("/")) for text in ("NL/CPA", "NL/EMA", "DE/EMB", "NL/SCS"))


def facts(body: Any) -> Facts:
    if body is None:
        return Facts.none()
    found = envelope.scan_request(codec.dumps(body))
    assert isinstance(found, Facts)
    return found


def message(
    module: str,
    interface: Interface,
    method: str,
    tail: str,
    body: Any = None,
    *,
    query: str = "",
    sender: PartyId = EMA,
    roles: frozenset[Role] = frozenset(),
) -> Message:
    segments = tuple(tail.split("/")) if tail else ()
    return Message(module, interface, method, segments, query, facts(body), sender, roles)


CDR_TOKEN = {"country_code": "DE", "party_id": "EMB", "uid": "04AA", "type": "RFID"}

ROWS: list[tuple[str, Message, Clues]] = [
    (
        "a location",
        message("locations", S, "GET", "LOC7"),
        Clues(keys=(("location", "loc7"), ("location_heard", "loc7"))),
    ),
    (
        "an EVSE",
        message("locations", S, "GET", "LOC7/E1/1"),
        Clues(keys=(("location", "loc7"), ("location_heard", "loc7"))),
    ),
    (
        "an authorization",
        message("tokens", S, "POST", "04AA/authorize"),
        Clues(keys=(("token", "04aa/rfid"), ("token_heard", "04aa/rfid"))),
    ),
    (
        "an authorization of another type",
        message("tokens", S, "POST", "04AA/authorize", query="type=APP_USER"),
        Clues(keys=(("token", "04aa/app_user"), ("token_heard", "04aa/app_user"))),
    ),
    (
        "charging preferences",
        message("sessions", S, "PUT", "S1/charging_preferences"),
        Clues(keys=(("session_cpo", "nl*ema/s1"),)),
    ),
    (
        "a session with its token",
        message("sessions", R, "PUT", "NL/CPA/S1", {"cdr_token": CDR_TOKEN}, sender=CPA),
        Clues(named=EMB),
    ),
    (
        "a change of a session",
        message("sessions", R, "PATCH", "NL/CPA/S1", {"kwh": 1}, sender=CPA),
        Clues(keys=(("session_emsp", "nl*cpa/s1"),)),
    ),
    ("a session read", message("sessions", R, "GET", "NL/CPA/S1"), Clues(keys=(("session_emsp", "nl*cpa/s1"),))),
    ("a CDR", message("cdrs", R, "POST", "", {"cdr_token": CDR_TOKEN}, sender=CPA), Clues(named=EMB)),
    (
        "a CDR whose token names nobody",
        message("cdrs", R, "POST", "", {"cdr_token": {"uid": "04AA"}, "session_id": "S1"}, sender=CPA),
        Clues(keys=(("token", "04aa/rfid"), ("token_heard", "04aa/rfid"), ("session_emsp", "nl*cpa/s1"))),
    ),
    (
        "START_SESSION",
        message("commands", R, "POST", "START_SESSION", {"location_id": "loc7"}),
        Clues(keys=(("location", "loc7"), ("location_heard", "loc7"))),
    ),
    (
        "STOP_SESSION",
        message("commands", R, "POST", "STOP_SESSION", {"session_id": "S1"}),
        Clues(keys=(("session_cpo", "nl*ema/s1"),)),
    ),
    (
        "CANCEL_RESERVATION",
        message("commands", R, "POST", "CANCEL_RESERVATION", {"reservation_id": "R1"}),
        Clues(keys=(("reservation", "nl*ema/r1"),)),
    ),
    (
        "an unknown command about a location",
        message("commands", R, "POST", "REBOOT", {"location_id": "L", "session_id": "S"}),
        Clues(keys=(("location", "l"), ("location_heard", "l"))),
    ),
    ("a command that says nothing", message("commands", R, "POST", "START_SESSION", {}), Clues()),
    (
        "a charging profile of an eMSP",
        message("chargingprofiles", R, "PUT", "S1"),
        Clues(keys=(("session_cpo", "nl*ema/s1"),)),
    ),
    (
        "a charging profile of an SCSP",
        message("chargingprofiles", R, "PUT", "S1", sender=SCS, roles=frozenset({Role.SCSP})),
        Clues(keys=(("session_cpo", "nl*scs/s1"), ("session", "s1"))),
    ),
    (
        "an active profile that changed",
        message("chargingprofiles", S, "PUT", "S1", sender=CPA),
        Clues(keys=(("setter", "nl*cpa/s1"),)),
    ),
    ("a list", message("tokens", S, "GET", ""), Clues()),
    ("a tariff", message("tariffs", R, "GET", "NL/CPA/T1"), Clues()),
]


@pytest.mark.parametrize(("sent", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_what_leads_to_the_receiver(sent: Message, expected: Clues) -> None:
    assert clues(sent) == expected


LEARNT: list[tuple[str, Message, PartyId, bool, list[Lesson]]] = [
    (
        "a pushed location is its owner's",
        message("locations", R, "PUT", "NL/CPA/LOC7", sender=CPA),
        EMA,
        False,
        [Lesson("location", "loc7", CPA)],
    ),
    (
        "a location that was read is its server's",
        message("locations", S, "GET", "LOC7"),
        CPA,
        False,
        [Lesson("location_heard", "loc7", CPA)],
    ),
    (
        "a pushed token is its owner's",
        message("tokens", R, "PATCH", "NL/EMA/04AA", query="type=APP_USER"),
        CPA,
        False,
        [Lesson("token", "04aa/app_user", EMA)],
    ),
    ("reading back a push teaches nothing", message("tokens", R, "GET", "NL/EMA/04AA"), CPA, False, []),
    (
        "a session",
        message("sessions", R, "PUT", "NL/CPA/S1", sender=CPA),
        EMA,
        False,
        [
            Lesson("session", "s1", CPA),
            Lesson("session_cpo", "nl*ema/s1", CPA),
            Lesson("session_emsp", "nl*cpa/s1", EMA),
        ],
    ),
    (
        "a reservation that was accepted",
        message("commands", R, "POST", "RESERVE_NOW", {"reservation_id": "R1", "location_id": "L1"}),
        CPA,
        True,
        [Lesson("reservation", "nl*ema/r1", CPA), Lesson("location_heard", "l1", CPA)],
    ),
    (
        "a reservation that was not",
        message("commands", R, "POST", "RESERVE_NOW", {"reservation_id": "R1"}),
        CPA,
        False,
        [],
    ),
    (
        "a profile that was set",
        message("chargingprofiles", R, "PUT", "S1", sender=SCS),
        CPA,
        True,
        [Lesson("setter", "nl*cpa/s1", SCS, only=True), Lesson("session_cpo", "nl*scs/s1", CPA)],
    ),
    ("a profile that was asked for", message("chargingprofiles", R, "GET", "S1", sender=SCS), CPA, True, []),
    ("a CDR", message("cdrs", R, "POST", "", {"cdr_token": CDR_TOKEN}, sender=CPA), EMB, False, []),
]


@pytest.mark.parametrize(
    ("sent", "receiver", "accepted", "expected"), [row[1:] for row in LEARNT], ids=[row[0] for row in LEARNT]
)
def test_what_a_message_teaches(sent: Message, receiver: PartyId, accepted: bool, expected: list[Lesson]) -> None:
    assert lessons(sent, receiver, frozenset({Role.EMSP}), accepted=accepted) == expected


def test_nobodys_sessions_are_an_scsps() -> None:
    sent = message("sessions", R, "PUT", "NL/CPA/S1", sender=CPA)
    learnt = lessons(sent, SCS, frozenset({Role.SCSP}), accepted=False)
    assert [lesson.kind for lesson in learnt] == [open_routing.SESSION, open_routing.SESSION_CPO]


def test_encoded_segments_mean_what_they_say() -> None:
    assert open_routing.decoded(("a%2Fb", "c")) == ("a/b", "c")
