"""The objects the factory makes: required members, their owners and times, exact numbers, no shared state."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.ocpi import codec, times
from hub.sandbox import objects

MOMENT = datetime(2026, 3, 4, 5, 6, 7, 89_000, tzinfo=UTC)
URL = "https://emsp.example/cb/1"

REQUIRED: list[tuple[objects.Object, set[str]]] = [
    (
        objects.location("NL/ABC"),
        {"country_code", "party_id", "id", "publish", "address", "city", "country", "coordinates", "time_zone"},
    ),
    (objects.evse(), {"uid", "status", "connectors", "last_updated"}),
    (
        objects.connector(),
        {"id", "standard", "format", "power_type", "max_voltage", "max_amperage", "last_updated"},
    ),
    (objects.tariff("NL/ABC"), {"country_code", "party_id", "id", "currency", "elements", "last_updated"}),
    (
        objects.token("NL/EMA"),
        {"country_code", "party_id", "uid", "type", "contract_id", "issuer", "valid", "whitelist", "last_updated"},
    ),
    (
        objects.session("NL/ABC"),
        {"id", "start_date_time", "kwh", "cdr_token", "auth_method", "location_id", "evse_uid", "connector_id"}
        | {"country_code", "party_id", "currency", "status", "last_updated"},
    ),
    (
        objects.cdr("NL/ABC"),
        {"id", "start_date_time", "end_date_time", "cdr_token", "auth_method", "cdr_location", "currency"}
        | {"country_code", "party_id", "charging_periods", "total_cost", "total_energy", "total_time", "last_updated"},
    ),
    (objects.charging_preferences(), {"profile_type"}),
    (objects.start_session(URL), {"response_url", "token", "location_id"}),
    (objects.stop_session(URL), {"response_url", "session_id"}),
    (objects.reserve_now(URL), {"response_url", "token", "expiry_date", "reservation_id", "location_id"}),
    (objects.cancel_reservation(URL), {"response_url", "reservation_id"}),
    (objects.unlock_connector(URL), {"response_url", "location_id", "evse_uid", "connector_id"}),
    (objects.set_charging_profile(URL), {"charging_profile", "response_url"}),
    (objects.active_charging_profile(), {"start_date_time", "charging_profile"}),
    (objects.client_info("NL/ABC"), {"country_code", "party_id", "role", "status", "last_updated"}),
]


@pytest.mark.parametrize(("value", "required"), REQUIRED)
def test_required_members_are_there(value: objects.Object, required: set[str]) -> None:
    assert required <= value.keys()
    assert all(member is not None for member in leaves(value))


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for member in value.values() for leaf in leaves(member)]
    if isinstance(value, list):
        return [leaf for member in value for leaf in leaves(member)]
    return [value]


@pytest.mark.parametrize("value", [value for value, _ in REQUIRED])
def test_numbers_survive_the_wire_digit_by_digit(value: objects.Object) -> None:
    assert not any(isinstance(leaf, float) for leaf in leaves(value))
    again = codec.loads(codec.dumps(value))
    assert again == value
    assert codec.dumps(again) == codec.dumps(value)


def test_owner_and_time_are_the_callers() -> None:
    made = objects.location("BE/CPB", "L7", evses=3, last_updated=MOMENT)
    assert (made["country_code"], made["party_id"], made["id"]) == ("BE", "CPB", "L7")
    assert [one["uid"] for one in made["evses"]] == ["E1", "E2", "E3"]
    assert made["last_updated"] == made["evses"][2]["connectors"][0]["last_updated"] == "2026-03-04T05:06:07.089Z"
    assert times.parse(made["last_updated"]) == MOMENT
    assert objects.cdr("NL/ABC", driver="DE/EMB")["cdr_token"]["party_id"] == "EMB"
    assert objects.price("10.00") == {"excl_vat": Decimal("10.00"), "incl_vat": Decimal("12.1000")}
    with pytest.raises(ValueError, match="NL/ABC"):
        objects.tariff("nobody")


def test_every_call_makes_an_object_of_its_own() -> None:
    first = objects.session("NL/ABC")
    first["charging_periods"].clear()
    first["cdr_token"]["uid"] = "changed"
    assert objects.session("NL/ABC") != first
    assert objects.session("NL/ABC")["charging_periods"]
