"""Objects as real systems send them, through the models and back: always run, with or without the tables."""

from timeit import repeat
from typing import Any

import pytest

from hub.ocpi import codec
from hub.ocpi.v221.cdrs import CDR
from hub.ocpi.v221.charging_profiles import ActiveChargingProfile, ActiveChargingProfileResult, SetChargingProfile
from hub.ocpi.v221.commands import CancelReservation, ReserveNow, StartSession, StopSession, UnlockConnector
from hub.ocpi.v221.common import Envelope
from hub.ocpi.v221.credentials import Credentials
from hub.ocpi.v221.hub_client_info import ClientInfo
from hub.ocpi.v221.location_enums import ConnectorType, Status
from hub.ocpi.v221.locations import EVSE, Connector, Hours, Location
from hub.ocpi.v221.sessions import ChargingPreferences, Session
from hub.ocpi.v221.tariffs import Tariff
from hub.ocpi.v221.tokens import AuthorizationInfo, LocationReferences, Token
from hub.ocpi.v221.types import OcpiObject
from hub.ocpi.v221.versions import Version, VersionDetails
from hub.sandbox import objects
from plugins.schema_check.checking import findings

URL = "https://example.com/ocpi/1"
TIME = "2026-01-01T12:00:00Z"

SAMPLES: list[tuple[type[OcpiObject], dict[str, Any]]] = [
    (Location, objects.location("NL/ABC", evses=3)),
    (EVSE, objects.evse()),
    (Connector, objects.connector()),
    (Tariff, objects.tariff("NL/ABC")),
    (Token, objects.token("DE/XYZ")),
    (Session, objects.session("NL/ABC")),
    (CDR, objects.cdr("NL/ABC")),
    (ChargingPreferences, objects.charging_preferences()),
    (LocationReferences, objects.location_references()),
    (StartSession, objects.start_session(URL)),
    (StopSession, objects.stop_session(URL)),
    (ReserveNow, objects.reserve_now(URL)),
    (CancelReservation, objects.cancel_reservation(URL)),
    (UnlockConnector, objects.unlock_connector(URL)),
    (SetChargingProfile, objects.set_charging_profile(URL)),
    (ActiveChargingProfile, objects.active_charging_profile()),
    (ActiveChargingProfileResult, {"result": "ACCEPTED", "profile": objects.active_charging_profile()}),
    (AuthorizationInfo, {"allowed": "NO_CREDIT", "token": objects.token("DE/XYZ"), "location": None}),
    (ClientInfo, objects.client_info("NL/ABC")),
    (
        Hours,
        {"twentyfourseven": False, "regular_hours": [{"weekday": 7, "period_begin": "08:00", "period_end": "20:00"}]},
    ),
    (
        Credentials,
        {
            "token": "!secret~",
            "url": URL,
            "roles": [
                {
                    "role": "CPO",
                    "business_details": {
                        "name": "Café €",
                        "logo": {"url": URL, "category": "OPERATOR", "type": "png", "width": 512, "height": None},
                    },
                    "party_id": "ABC",
                    "country_code": "NL",
                }
            ],
        },
    ),
    (Version, {"version": "2.3.0", "url": URL}),
    (
        VersionDetails,
        {
            "version": "2.2.1",
            "endpoints": [
                {"identifier": "cdrs", "role": "SENDER", "url": URL},
                {"identifier": "nltnm-extra", "role": "RECEIVER", "url": URL},
            ],
        },
    ),
    (Envelope, {"data": [objects.token("DE/XYZ")], "status_code": 1000, "timestamp": TIME}),
    (Envelope, {"data": "ACCEPTED", "status_code": 1000, "status_message": None, "timestamp": TIME}),
]


@pytest.mark.parametrize(("model", "sample"), SAMPLES, ids=lambda value: getattr(value, "__name__", ""))
def test_it_is_right_and_comes_back_as_it_was(model: type[OcpiObject], sample: dict[str, Any]) -> None:
    text = codec.dumps(sample)

    again = codec.dumps(model.model_validate(codec.loads(text)).document())

    assert findings(codec.loads(text), model) == []
    assert codec.loads(again) == codec.loads(text)
    assert sorted(again) == sorted(text)  # every digit, whatever the order of members


@pytest.mark.parametrize(("model", "sample"), SAMPLES, ids=lambda value: getattr(value, "__name__", ""))
def test_without_a_member_it_is_wrong_there_or_right(model: type[OcpiObject], sample: dict[str, Any]) -> None:
    for name in sample:
        without = {other: value for other, value in sample.items() if other != name}
        required = model.model_fields[name].is_required()
        assert [(one.pointer, one.kind) for one in findings(without, model)] == [(f"/{name}", "missing")] * required


def test_the_fields_of_a_location_can_be_used() -> None:
    location = Location.model_validate(objects.location("NL/ABC", evses=2) | {"images": None, "x": 1})

    assert location.evses is not None
    assert [evse.status for evse in location.evses] == [Status.AVAILABLE] * 2
    assert location.evses[0].connectors[0].standard is ConnectorType.IEC_62196_T2
    assert location.opening_times is not None
    assert location.opening_times.twentyfourseven
    assert "images" in location.model_fields_set
    assert "directions" not in location.model_fields_set
    assert location.images is None
    assert location.directions is None


def test_a_location_of_two_kilobytes_costs_far_less_than_a_millisecond() -> None:
    location = codec.loads(codec.dumps(objects.location("NL/ABC", evses=5)))

    rounds = repeat(lambda: Location.model_validate(location), number=20, repeat=5)

    assert 2000 < len(codec.dumps(location)) < 3000
    assert min(rounds) / 20 < 0.0005


def test_coordinates_have_room_for_sign_and_digits() -> None:
    far = {"latitude": "-12.1234567", "longitude": "-179.1234567"}
    assert findings(objects.location("NL/ABC") | {"coordinates": far}, Location) == []
