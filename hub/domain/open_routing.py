"""Open routing: what in a message names its receiver, and what a message that went through teaches for later ones
(R-082 to R-086, R-132, R-143, the "open routing" column of the endpoint tables).

Keys are lower case: all ids are CiStrings (R-109). What an owner published counts more than what others' traffic
suggests: hearsay is asked only where no owner has spoken, so that nobody can make another's objects doubtful.
"""

from typing import NamedTuple
from urllib.parse import unquote

from hub.ocpi import names, urls
from hub.ocpi.envelope import Facts
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId, party

DEFAULT_TOKEN_TYPE = "RFID"  # noqa: S105 - an enum value, no secret

# What is known, by kind of key.
LOCATION = "location"  # location id -> CPO that pushed it
LOCATION_HEARD = "location_heard"  # location id -> CPO that answered about it
TOKEN = "token"  # uid/type -> eMSP that pushed it  # noqa: S105 - a word of the index
TOKEN_HEARD = "token_heard"  # uid/type -> eMSP that answered about it  # noqa: S105 - a word of the index
SESSION = "session"  # session id -> CPO
SESSION_CPO = "session_cpo"  # eMSP or SCSP / session id -> CPO
SESSION_EMSP = "session_emsp"  # CPO / session id -> eMSP
RESERVATION = "reservation"  # eMSP / reservation id -> CPO
SETTER = "setter"  # CPO / session id -> who last set a charging profile

_BY_LOCATION = ("START_SESSION", "RESERVE_NOW", "UNLOCK_CONNECTOR")


class Message(NamedTuple):
    """A request as open routing looks at it. `segments` are the decoded path segments below the endpoint, `facts` what
    a scan found in the body, `sender_roles` what the sender is on its platform.
    """

    module: str
    interface: Interface
    method: str
    segments: tuple[str, ...]
    query: str
    facts: Facts
    sender: PartyId
    sender_roles: frozenset[Role] = frozenset()


class Lesson(NamedTuple):
    """`key` of this kind leads to `party`; `only`: to nobody else any more."""

    kind: str
    key: str
    party: PartyId
    only: bool = False


class Clues(NamedTuple):
    """What a message says about its receiver: a party outright, else keys to look up, the best first."""

    named: PartyId | None = None
    keys: tuple[tuple[str, str], ...] = ()


def decoded(segments: tuple[str, ...]) -> tuple[str, ...]:
    """Path segments as text."""
    return tuple(unquote(segment) if "%" in segment else segment for segment in segments)


def token_type(query: str) -> str:
    """The `type` in the query of a token's URL; RFID when it is not there (R-145)."""
    return urls.query_value(query, "type") or DEFAULT_TOKEN_TYPE


def clues(message: Message) -> Clues:
    """What leads to the receiver of a message that names none."""
    if message.interface is Interface.SENDER:
        return _asked_of_owner(message)
    if message.module == names.COMMANDS:
        return Clues(keys=_of_command(message))
    if message.module == names.CHARGING_PROFILES and message.segments:
        session = message.segments[0]
        keys = [_pair(SESSION_CPO, message.sender, session)]
        if Role.SCSP in message.sender_roles:
            keys.append((SESSION, session.casefold()))
        return Clues(keys=tuple(keys))
    if message.module == names.SESSIONS and len(message.segments) == 3:
        known = (_pair(SESSION_EMSP, party(*message.segments[:2]), message.segments[2]),)
        return _by_cdr_token(message, known)
    if message.module == names.CDRS:
        billed = message.facts.session_id
        return _by_cdr_token(message, (_pair(SESSION_EMSP, message.sender, billed),) if billed else ())
    return Clues()


def _asked_of_owner(message: Message) -> Clues:
    segments = message.segments
    if not segments:
        return Clues()
    if message.module == names.LOCATIONS:
        return Clues(keys=_location(segments[0]))
    if message.module == names.TOKENS:
        return Clues(keys=_tokens(segments[0], token_type(message.query)))
    if message.module == names.SESSIONS:
        return Clues(keys=(_pair(SESSION_CPO, message.sender, segments[0]),))
    if message.module == names.CHARGING_PROFILES and message.method == "PUT":
        return Clues(keys=(_pair(SETTER, message.sender, segments[0]),))
    return Clues()


def _of_command(message: Message) -> tuple[tuple[str, str], ...]:
    facts, sender = message.facts, message.sender
    command = message.segments[0] if message.segments else ""
    location, session, reservation = facts.location_id, facts.session_id, facts.reservation_id
    if command == "CANCEL_RESERVATION":
        return (_pair(RESERVATION, sender, reservation),) if reservation else ()
    if command == "STOP_SESSION" or (session and not location):
        return (_pair(SESSION_CPO, sender, session),) if session else ()
    return _location(location) if location else ()


def _by_cdr_token(message: Message, otherwise: tuple[tuple[str, str], ...]) -> Clues:
    """The token's owner is the receiver (2.2.1); only where it is not named, what is known of token and session."""
    country_code, party_id, uid, kind = message.facts.cdr_token
    if country_code and party_id:
        return Clues(named=party(country_code, party_id))
    known = _tokens(uid, kind or DEFAULT_TOKEN_TYPE) if uid else ()
    return Clues(keys=known + otherwise)


def lessons(message: Message, receiver: PartyId, receiver_roles: frozenset[Role], *, accepted: bool) -> list[Lesson]:
    """What a message teaches that its receiver took (R-084). `accepted`: a command or profile was accepted."""
    segments, sender = message.segments, message.sender
    if not segments:
        return []
    if message.module in (names.LOCATIONS, names.TOKENS):
        return _of_object(message, receiver)
    if message.module == names.SESSIONS and message.interface is Interface.RECEIVER and len(segments) == 3:
        owner, session = party(segments[0], segments[1]), segments[2]
        found = [
            Lesson(SESSION, session.casefold(), owner),
            Lesson(*_pair(SESSION_CPO, receiver, session), owner),
        ]
        if receiver_roles != {Role.SCSP}:  # an SCSP is told of sessions, but nobody's sessions are its own
            found.append(Lesson(*_pair(SESSION_EMSP, owner, session), receiver))
        return found
    if message.interface is Interface.SENDER or not accepted:
        return []
    if message.module == names.CHARGING_PROFILES and message.method == "PUT":
        return [
            Lesson(*_pair(SETTER, receiver, segments[0]), sender, only=True),
            Lesson(*_pair(SESSION_CPO, sender, segments[0]), receiver),
        ]
    if message.module == names.COMMANDS:
        found = []
        reservation, location = message.facts.reservation_id, message.facts.location_id
        if segments[0] == "RESERVE_NOW" and reservation:
            found.append(Lesson(*_pair(RESERVATION, sender, reservation), receiver))
        if segments[0] in _BY_LOCATION and location:
            found.append(Lesson(LOCATION_HEARD, location.casefold(), receiver))
        return found
    return []


def _of_object(message: Message, receiver: PartyId) -> list[Lesson]:
    """Locations and tokens: a pushed one belongs to the owner in its path, one that was asked for to who had it."""
    segments = message.segments
    pushed = message.interface is Interface.RECEIVER
    if pushed and (len(segments) < 3 or message.method not in ("PUT", "PATCH")):
        return []
    owner, object_id = (party(segments[0], segments[1]), segments[2]) if pushed else (receiver, segments[0])
    if message.module == names.LOCATIONS:
        own, heard = _location(object_id)
    else:
        own, heard = _tokens(object_id, token_type(message.query))
    return [Lesson(*(own if pushed else heard), owner)]


def _pair(kind: str, of: PartyId, object_id: str | None) -> tuple[str, str]:
    return kind, f"{of.key}/{object_id or ''}".casefold()


def _location(location_id: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """The owner's word, then hearsay."""
    key = location_id.casefold()
    return (LOCATION, key), (LOCATION_HEARD, key)


def _tokens(uid: str, kind: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """The owner's word, then hearsay."""
    key = f"{uid}/{kind}".casefold()
    return (TOKEN, key), (TOKEN_HEARD, key)
