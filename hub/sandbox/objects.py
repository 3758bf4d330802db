"""Valid OCPI 2.2.1 objects with invented, neutral content. Owners are written like `NL/ABC`; fractions are Decimals.

Members that a caller wants otherwise are changed on the returned dict: every call makes a new one.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.ocpi import times
from hub.ocpi.names import ConnectionStatus, Role
from hub.sandbox.parties import PartyLike, as_party

Object = dict[str, Any]
Moment = str | datetime

LAST_UPDATED = "2026-01-01T12:00:00Z"
EXPIRY = "2026-01-01T18:00:00Z"
CURRENCY = "EUR"


def _time(moment: Moment) -> str:
    return times.render(moment) if isinstance(moment, datetime) else moment


def _owner(party: PartyLike) -> Object:
    owner = as_party(party)
    return {"country_code": owner.country_code, "party_id": owner.party_id}


def price(excl_vat: str) -> Object:
    """A price with VAT of 21 percent."""
    net = Decimal(excl_vat)
    return {"excl_vat": net, "incl_vat": (net * Decimal("1.21")).quantize(Decimal("0.0001"))}


def coordinates() -> Object:
    return {"latitude": "52.100000", "longitude": "5.200000"}


def connector(connector_id: str = "1", *, tariff_id: str = "T1", last_updated: Moment = LAST_UPDATED) -> Object:
    """A 22 kW socket."""
    return {
        "id": connector_id,
        "standard": "IEC_62196_T2",
        "format": "SOCKET",
        "power_type": "AC_3_PHASE",
        "max_voltage": 230,
        "max_amperage": 32,
        "tariff_ids": [tariff_id],
        "last_updated": _time(last_updated),
    }


def evse(
    uid: str = "E1", *, status: str = "AVAILABLE", connectors: int = 1, last_updated: Moment = LAST_UPDATED
) -> Object:
    """An EVSE with connectors "1", "2" and so on that can do everything the hub routes."""
    return {
        "uid": uid,
        "status": status,
        "capabilities": [
            "CHARGING_PREFERENCES_CAPABLE",
            "CHARGING_PROFILE_CAPABLE",
            "REMOTE_START_STOP_CAPABLE",
            "RESERVABLE",
            "RFID_READER",
            "UNLOCK_CAPABLE",
        ],
        "connectors": [connector(str(number), last_updated=last_updated) for number in range(1, connectors + 1)],
        "last_updated": _time(last_updated),
    }


def location(
    owner: PartyLike, location_id: str = "LOC1", *, evses: int = 1, last_updated: Moment = LAST_UPDATED
) -> Object:
    """A location with EVSEs "E1", "E2" and so on."""
    return _owner(owner) | {
        "id": location_id,
        "publish": True,
        "name": f"Station {location_id}",
        "address": "Example Street 1",
        "city": "Sampleton",
        "postal_code": "1234 AB",
        "country": "NLD",
        "coordinates": coordinates(),
        "evses": [evse(f"E{number}", last_updated=last_updated) for number in range(1, evses + 1)],
        "time_zone": "Europe/Amsterdam",
        "opening_times": {"twentyfourseven": True},
        "last_updated": _time(last_updated),
    }


def tariff(owner: PartyLike, tariff_id: str = "T1", *, last_updated: Moment = LAST_UPDATED) -> Object:
    """A price per kWh."""
    component = {"type": "ENERGY", "price": Decimal("0.3500"), "vat": Decimal("21.0"), "step_size": 1}
    return _owner(owner) | {
        "id": tariff_id,
        "currency": CURRENCY,
        "type": "REGULAR",
        "elements": [{"price_components": [component]}],
        "last_updated": _time(last_updated),
    }


def token(
    owner: PartyLike, uid: str = "04AA11BB", *, kind: str = "RFID", last_updated: Moment = LAST_UPDATED
) -> Object:
    """A valid driver token."""
    party = as_party(owner)
    return _owner(owner) | {
        "uid": uid,
        "type": kind,
        "contract_id": f"{party.country_code}-{party.party_id}-C00000001",
        "issuer": "Sample Mobility",
        "valid": True,
        "whitelist": "ALLOWED",
        "language": "en",
        "last_updated": _time(last_updated),
    }


def cdr_token(owner: PartyLike, uid: str = "04AA11BB", *, kind: str = "RFID") -> Object:
    """The part of a token that sessions and CDRs carry."""
    whole = token(owner, uid, kind=kind)
    return {member: whole[member] for member in ("country_code", "party_id", "uid", "type", "contract_id")}


def charging_period(start: Moment, energy_kwh: str) -> Object:
    return {
        "start_date_time": _time(start),
        "dimensions": [{"type": "ENERGY", "volume": Decimal(energy_kwh)}],
        "tariff_id": "T1",
    }


def session(
    owner: PartyLike,
    session_id: str = "S1",
    *,
    driver: PartyLike = "NL/EMA",
    status: str = "ACTIVE",
    kwh: str = "1.2500",
    last_updated: Moment = LAST_UPDATED,
) -> Object:
    """A session at LOC1 of a driver of the eMSP `driver`."""
    return _owner(owner) | {
        "id": session_id,
        "start_date_time": "2026-01-01T11:45:00Z",
        "kwh": Decimal(kwh),
        "cdr_token": cdr_token(driver),
        "auth_method": "WHITELIST",
        "location_id": "LOC1",
        "evse_uid": "E1",
        "connector_id": "1",
        "currency": CURRENCY,
        "charging_periods": [charging_period("2026-01-01T11:45:00Z", kwh)],
        "total_cost": price("0.4375"),
        "status": status,
        "last_updated": _time(last_updated),
    }


def cdr(
    owner: PartyLike, cdr_id: str = "CDR1", *, driver: PartyLike = "NL/EMA", last_updated: Moment = LAST_UPDATED
) -> Object:
    """The CDR of a finished session S1."""
    place = {
        "id": "LOC1",
        "address": "Example Street 1",
        "city": "Sampleton",
        "country": "NLD",
        "coordinates": coordinates(),
        "evse_uid": "E1",
        "evse_id": "NL*ABC*E1",
        "connector_id": "1",
        "connector_standard": "IEC_62196_T2",
        "connector_format": "SOCKET",
        "connector_power_type": "AC_3_PHASE",
    }
    return _owner(owner) | {
        "id": cdr_id,
        "start_date_time": "2026-01-01T10:00:00Z",
        "end_date_time": "2026-01-01T11:30:00Z",
        "session_id": "S1",
        "cdr_token": cdr_token(driver),
        "auth_method": "WHITELIST",
        "cdr_location": place,
        "currency": CURRENCY,
        "tariffs": [tariff(owner)],
        "charging_periods": [charging_period("2026-01-01T10:00:00Z", "15.3420")],
        "total_cost": price("5.3697"),
        "total_energy": Decimal("15.3420"),
        "total_time": Decimal("1.5000"),
        "last_updated": _time(last_updated),
    }


def charging_preferences() -> Object:
    return {
        "profile_type": "CHEAP",
        "departure_time": EXPIRY,
        "energy_need": Decimal("12.5"),
        "discharge_allowed": False,
    }


def location_references(location_id: str = "LOC1", evse_uids: Sequence[str] = ("E1",)) -> Object:
    return {"location_id": location_id, "evse_uids": list(evse_uids)}


def start_session(response_url: str, *, driver: PartyLike = "NL/EMA", location_id: str = "LOC1") -> Object:
    return {
        "response_url": response_url,
        "token": token(driver),
        "location_id": location_id,
        "evse_uid": "E1",
        "connector_id": "1",
    }


def stop_session(response_url: str, session_id: str = "S1") -> Object:
    return {"response_url": response_url, "session_id": session_id}


def reserve_now(
    response_url: str,
    reservation_id: str = "R1",
    *,
    driver: PartyLike = "NL/EMA",
    location_id: str = "LOC1",
    expiry_date: Moment = EXPIRY,
) -> Object:
    return {
        "response_url": response_url,
        "token": token(driver),
        "expiry_date": _time(expiry_date),
        "reservation_id": reservation_id,
        "location_id": location_id,
        "evse_uid": "E1",
    }


def cancel_reservation(response_url: str, reservation_id: str = "R1") -> Object:
    return {"response_url": response_url, "reservation_id": reservation_id}


def unlock_connector(response_url: str, *, location_id: str = "LOC1") -> Object:
    return {"response_url": response_url, "location_id": location_id, "evse_uid": "E1", "connector_id": "1"}


def charging_profile(limit_a: str = "16.0", *, start: Moment = LAST_UPDATED, duration_s: int = 900) -> Object:
    """One limit in ampere per phase for the whole duration."""
    return {
        "start_date_time": _time(start),
        "duration": duration_s,
        "charging_rate_unit": "A",
        "min_charging_rate": Decimal("6.0"),
        "charging_profile_period": [{"start_period": 0, "limit": Decimal(limit_a)}],
    }


def set_charging_profile(response_url: str, limit_a: str = "16.0") -> Object:
    return {"charging_profile": charging_profile(limit_a), "response_url": response_url}


def active_charging_profile(limit_a: str = "16.0", *, start: Moment = LAST_UPDATED) -> Object:
    return {"start_date_time": _time(start), "charging_profile": charging_profile(limit_a, start=start)}


def client_info(
    party: PartyLike,
    role: Role = Role.CPO,
    status: ConnectionStatus = ConnectionStatus.CONNECTED,
    *,
    last_updated: Moment = LAST_UPDATED,
) -> Object:
    return _owner(party) | {"role": role.value, "status": status.value, "last_updated": _time(last_updated)}
