"""Message ids and routing headers: their names, how they are read from a request and how they are written (R-046 to
R-063).
"""

from collections.abc import Mapping
from typing import NamedTuple

from hub.ocpi.party_id import PartyId, party

AUTHORIZATION = "Authorization"
REQUEST_ID = "X-Request-ID"
CORRELATION_ID = "X-Correlation-ID"
TO_PARTY = "OCPI-to-party-id"
TO_COUNTRY = "OCPI-to-country-code"
FROM_PARTY = "OCPI-from-party-id"
FROM_COUNTRY = "OCPI-from-country-code"
TOTAL_COUNT = "X-Total-Count"
LIMIT = "X-Limit"
LINK = "Link"
LOCATION = "Location"
RETRY_AFTER = "Retry-After"
CONTENT_TYPE = "Content-Type"
JSON = "application/json"

# A longer id is not worth carrying: it is replaced by one of the hub's own (ids are never trusted for identity).
MAX_ID_LENGTH = 128


class Routing(NamedTuple):
    """The TO and FROM pairs of a request; a pair that is absent is None."""

    to: PartyId | None
    sender: PartyId | None


class HalfPair(NamedTuple):
    """Only one header of a pair is there (R-052): `name` is the one that is missing."""

    name: str


def read_routing(headers: Mapping[str, str]) -> Routing | HalfPair:
    """Reads both pairs. An empty value counts as absent. Spelling is kept, lengths are not judged: unknown is
    unknown.
    """
    to_country, to_party = _value(headers, TO_COUNTRY), _value(headers, TO_PARTY)
    from_country, from_party = _value(headers, FROM_COUNTRY), _value(headers, FROM_PARTY)
    if bool(to_country) != bool(to_party):
        return HalfPair(TO_PARTY if to_country else TO_COUNTRY)
    if bool(from_country) != bool(from_party):
        return HalfPair(FROM_PARTY if from_country else FROM_COUNTRY)
    return Routing(
        party(to_country, to_party) if to_party else None,
        party(from_country, from_party) if from_party else None,
    )


def read_sender(headers: Mapping[str, str]) -> PartyId | None:
    """The FROM pair alone, whatever the other one looks like."""
    country, party_id = _value(headers, FROM_COUNTRY), _value(headers, FROM_PARTY)
    return party(country, party_id) if country and party_id else None


def _value(headers: Mapping[str, str], name: str) -> str:
    """A header's value, cut and with what is no printable ASCII spelled out, so that it can be answered and logged."""
    value = headers.get(name, "").strip()
    if len(value) > 16:
        value = f"{value[:16]}..."
    return value if value.isascii() and value.isprintable() else ascii(value)[1:-1]


def routing_headers(to: PartyId, sender: PartyId) -> dict[str, str]:
    """The four headers of one message, for a request or for a response."""
    return {
        TO_COUNTRY: to.country_code,
        TO_PARTY: to.party_id,
        FROM_COUNTRY: sender.country_code,
        FROM_PARTY: sender.party_id,
    }


def usable_id(value: str | None) -> str | None:
    """The message id if it can be carried in a header as it is, else None (R-049: missing ids are made, not
    refused).
    """
    if value and len(value) <= MAX_ID_LENGTH and value.isprintable() and value.isascii():
        return value
    return None


_KNOWN_OCPI_HEADERS = frozenset(name.lower() for name in (TO_PARTY, TO_COUNTRY, FROM_PARTY, FROM_COUNTRY))


def unknown_ocpi_headers(headers: Mapping[str, str]) -> list[str]:
    """Names that start with `OCPI-` and mean nothing: misspellings worth telling a newcomer about (T-33)."""
    return [name for name in headers if name.lower().startswith("ocpi-") and name.lower() not in _KNOWN_OCPI_HEADERS]
