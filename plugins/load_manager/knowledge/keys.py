"""Under which names things are known here: texts that are equal when OCPI says that the identifiers are."""

from functools import lru_cache
from typing import NamedTuple, NewType

from hub.ocpi.party_id import PartyId

SessionKey = NewType("SessionKey", str)
"""`nl*abc/s1`: owner and session id, case folded."""

LocationKey = NewType("LocationKey", str)
"""`nl*abc/loc1`: owner and location id, case folded."""

UNKNOWN_ID = "#NA"


class EvseKey(NamedTuple):
    """An EVSE of a location, its uid case folded."""

    location: LocationKey
    uid: str


@lru_cache(maxsize=16_384)
def owner(text: str) -> PartyId:
    """The party of `NL/ABC`, which is how documents name it."""
    country_code, _, party_id = text.partition("/")
    return PartyId(country_code, party_id)


def session_key(party: PartyId, session_id: str) -> SessionKey:
    return SessionKey(f"{party.key}/{session_id.casefold()}")


def location_key(party: PartyId, location_id: str) -> LocationKey:
    return LocationKey(f"{party.key}/{location_id.casefold()}")


@lru_cache(maxsize=200_000)
def evse_key(party: PartyId, location_id: str, evse_uid: str) -> EvseKey:
    return EvseKey(location_key(party, location_id), evse_uid.casefold())
