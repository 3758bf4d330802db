"""The world of a benchmark: a store with two registered platforms whose endpoints are those of the cheap upstream."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from hub import app
from hub.domain.platform import Platform
from hub.ocpi import headers, names
from hub.ocpi.names import Interface
from hub.ocpi.token import TokenEncoding, authorization
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import fixture_world
from tests.bench.load import http
from tests.hub_process import free_port
from tests.hubs import id_of, register_all, test_settings

S, R = Interface.SENDER, Interface.RECEIVER


@dataclass(frozen=True, slots=True)
class Prepared:
    """Authorization values: P2 (eMSP) asks P1, P1 (CPO) pushes to P2, P3 (NSP) asks P4; and the port they know."""

    p1: str
    p2: str
    p3: str
    port: int


async def prepare(folder: Path, upstream_port: int, second_port: int | None = None) -> Prepared:
    """Registers P1 to P4 in a store in `folder`, then points their endpoints at the upstream (P4's at the second
    one).
    """
    port = free_port()
    with (folder / "prepare.log").open("wb") as legs:
        async with (
            app.running(test_settings(folder, port=port), legs_to=legs) as hub,
            fixture_world(only=["P1", "P2", "P3", "P4"]) as world,
        ):
            await register_all(hub, world)
            clock = hub.registry
            for name, served_at in (("P1", upstream_port), ("P2", upstream_port), ("P4", second_port or upstream_port)):
                base = f"http://127.0.0.1:{served_at}"
                overrides = {
                    f"{module}/{side.value}": f"{base}/{side.value.lower()}/{module}"
                    for module in (names.LOCATIONS, names.SESSIONS)
                    for side in Interface
                }

                def point(platform: Platform, overrides: dict[str, str] = overrides) -> Platform:
                    settings = replace(platform.settings, endpoint_overrides=overrides)
                    return platform.changed(platform.updated_at, settings=settings)

                await clock.change(id_of(hub, name), point)
            return Prepared(_access(world["P1"]), _access(world["P2"]), _access(world["P3"]), port)


def _access(platform: SandboxPlatform) -> str:
    counterpart = platform.counterpart
    assert counterpart is not None
    return authorization(counterpart.token, TokenEncoding.BASE64)


def session_body(size: int = 2048) -> bytes:
    """A Session of about this many bytes."""
    head = (
        b'{"country_code":"NL","party_id":"CPA","id":"S1","start_date_time":"2026-01-01T11:45:00Z","kwh":1.2500,'
        b'"cdr_token":{"country_code":"NL","party_id":"EMA","uid":"04AA11BB","type":"RFID","contract_id":"C1"},'
        b'"auth_method":"WHITELIST","location_id":"LOC1","evse_uid":"E1","connector_id":"1","currency":"EUR",'
        b'"charging_periods":['
    )
    period = (
        b'{"start_date_time":"2026-01-01T11:45:00Z","dimensions":[{"type":"ENERGY","volume":0.2500},'
        b'{"type":"MAX_CURRENT","volume":16.0}],"tariff_id":"T1"}'
    )
    tail = b'],"status":"ACTIVE","last_updated":"2026-01-01T12:00:00Z"}'
    count = max(1, (size - len(head) - len(tail)) // (len(period) + 1))
    return head + b",".join([period] * count) + tail


def get_request(access: str, to: str = "NL/CPA", sender: str = "NL/EMA", location: str = "LOC1") -> bytes:
    """GET of a location of a CPO."""
    return http("GET", f"/ocpi/2.2.1/sender/locations/{location}", _headers(access, to, sender))


def put_request(access: str) -> bytes:
    """PUT of a 2 kB session to an eMSP."""
    return http("PUT", "/ocpi/2.2.1/receiver/sessions/NL/CPA/S1", _headers(access, "NL/EMA", "NL/CPA"), session_body())


def _headers(access: str, to: str, sender: str) -> dict[str, str]:
    (to_country, to_party), (from_country, from_party) = to.split("/"), sender.split("/")
    return {
        headers.AUTHORIZATION: access,
        headers.REQUEST_ID: "5f0e1c0a-1111-4111-8111-000000000001",
        headers.CORRELATION_ID: "5f0e1c0a-2222-4222-8222-000000000002",
        headers.TO_COUNTRY: to_country,
        headers.TO_PARTY: to_party,
        headers.FROM_COUNTRY: from_country,
        headers.FROM_PARTY: from_party,
        "Accept": "application/json",
    }


def run_prepare(folder: Path, upstream_port: int, second_port: int | None = None) -> Prepared:
    return asyncio.run(prepare(folder, upstream_port, second_port))
