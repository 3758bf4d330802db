"""Which facts are in what the hub sees: exchanges that are over, and requests to the load manager's own party."""

from hub.ocpi.names import CHARGING_PROFILES, LOCATIONS, SESSIONS, Interface
from hub.ocpi.party_id import PartyId, well_formed
from hub.ocpi.status import StatusCode
from hub.ocpi.v221.charging_profiles import ChargingProfileResultType
from hub.plugin import Answer, BodyError, Exchange, PartyRequest, Result
from plugins.load_manager.knowledge.keys import session_key
from plugins.load_manager.knowledge.session import Source
from plugins.load_manager.steering.facts import ActiveTold, Fact, LocationTold, SessionTold, WishTold

PREFERENCES = "charging_preferences"
_TOLD = ("PUT", "PATCH")


def fact_of(exchange: Exchange, own: PartyId) -> Fact | None:
    """The fact in an exchange that is over; None for none, or when `own` was told it as a party. Raises BodyError."""
    if exchange.module == LOCATIONS:
        return _location(exchange)
    if exchange.module != SESSIONS or own in exchange.receivers:
        return None
    if exchange.interface is Interface.SENDER:
        return _wish(exchange)
    owner, session_id = exchange.owner, exchange.object_id
    if owner is None or session_id is None or exchange.sender != owner or exchange.method not in _TOLD:
        return None
    body = exchange.request.value
    if not isinstance(body, dict):
        return None
    return SessionTold(str(owner), session_id, body, exchange.method == "PUT", Source.ROUTED)


def _location(exchange: Exchange) -> Fact | None:
    owner, location_id = exchange.owner, exchange.object_id
    if owner is None or location_id is None or exchange.method not in _TOLD or exchange.status_code != StatusCode.OK:
        return None
    return LocationTold(str(owner), location_id)


def _wish(exchange: Exchange) -> Fact | None:
    parts = [part for part in exchange.path.split("/") if part]
    if exchange.method != "PUT" or len(parts) != 2 or parts[1] != PREFERENCES or not exchange.receivers:
        return None
    body, envelope = exchange.request.value, exchange.answer.value
    answer = envelope.get("data") if isinstance(envelope, dict) else None
    if not isinstance(body, dict):
        return None
    cpo = exchange.receivers[0]
    return WishTold(str(cpo), parts[0], body, answer if isinstance(answer, str) else None, exchange.correlation_id)


def fact_for(request: PartyRequest) -> Fact | Answer:
    """The fact in a request to the party, or the answer to one that is not understood."""
    parts = request.segments
    try:
        body = request.body.value
    except BodyError:
        body = None
    if request.method not in _TOLD or not isinstance(body, dict):
        return Answer(StatusCode.CLIENT_ERROR, message="Only PUT and PATCH with an object are understood here")
    if request.module == SESSIONS and len(parts) == 3:
        if not well_formed(parts[0], parts[1]) or PartyId(parts[0], parts[1]) != request.sender:
            return Answer(StatusCode.INVALID_PARAMETERS, message="A session is told by its owner alone")
        return SessionTold(str(request.sender), parts[2], body, request.method == "PUT", Source.PUSHED)
    if request.module == CHARGING_PROFILES and request.method == "PUT" and len(parts) == 1:
        return ActiveTold(session_key(request.sender, parts[0]), body)
    return Answer(StatusCode.CLIENT_ERROR, message="Only sessions and active charging profiles are understood here")


def result_in(result: Result) -> ChargingProfileResultType | None:
    """What came of a profile; None for a body that is none, which says nothing."""
    try:
        value = result.body.value
        return ChargingProfileResultType(str(value.get("result"))) if isinstance(value, dict) else None
    except (BodyError, ValueError):
        return None
