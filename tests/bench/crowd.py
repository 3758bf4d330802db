"""A store with a CPO that pushes, a direct pair, and a crowd of receivers that live in `tests.bench.receivers`."""

import itertools
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hub import app
from hub.domain.platform import Connection, Endpoint, HostedRole, InboundToken, Platform, TokenPurpose
from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.ocpi.token import TokenEncoding, authorization
from hub.store.ports import Store
from hub.store.vault import Fingerprints, Vault, own_key
from tests.bench.load import http
from tests.hub_process import free_port
from tests.hubs import SECRET_KEY, test_settings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PUSHER = "NL/CPO"
_LETTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True)
class Crowd:
    """The `Authorization` values of the CPO that pushes and of the eMSP of the direct pair; the port the hub is known
    under.
    """

    pusher: str
    asker: str
    port: int


def party_ids() -> Iterator[str]:
    """AAA, AAB, ... : 46,656 of them."""
    return ("".join(letters) for letters in itertools.product(_LETTERS, repeat=3))


def receiver_names(count: int, hanging: int) -> list[str]:
    """The path prefixes of the receivers; the first `hanging` never answer."""
    return [f"hang{number}" if number < hanging else f"r{number}" for number in range(count)]


class Maker:
    """Makes registered platforms whose endpoints are at `base`, each below a path prefix of its own name."""

    def __init__(self, base: str, vault: Vault, fingerprints: Fingerprints) -> None:
        self._base = base
        self._vault = vault
        self._fingerprints = fingerprints

    def platform(self, name: str, role: Role, country_code: str, party_id: str) -> Platform:
        side = Interface.RECEIVER if role is Role.EMSP else Interface.SENDER
        url = f"{self._base}/{name}"
        endpoints = tuple(Endpoint(module, side, f"{url}/{module}") for module in (names.LOCATIONS, names.TARIFFS))
        sealed = self._vault.seal("out")
        return Platform(
            id=name,
            name=name,
            created_at=NOW,
            updated_at=NOW,
            status_changed_at=NOW,
            roles=(HostedRole(role, country_code, party_id, {"name": name}, NOW),),
            tokens=(InboundToken(self._fingerprints.of(f"token-{name}"), TokenPurpose.CREDENTIALS, NOW),),
            connection=Connection("2.2.1", f"{url}/versions", sealed, TokenEncoding.PLAIN, endpoints, NOW),
            was_registered=True,
        )


async def maker(store: Store, base: str) -> Maker:
    """A maker for the hub whose store this is."""
    vault = Vault([SECRET_KEY])
    return Maker(base, vault, Fingerprints(await own_key(store.keys, vault, "fingerprints")))


async def prepare(folder: Path, port: int, receivers: list[str]) -> Crowd:
    """Fills a store in `folder`: eMSPs at the process on `port`, a pusher, and a pair for direct traffic."""
    hub_port = free_port()
    with (folder / "prepare.log").open("wb") as legs:
        async with app.running(test_settings(folder, port=hub_port), legs_to=legs) as hub:
            made = await maker(hub.store, f"http://127.0.0.1:{port}")
            for name, party_id in zip(receivers, party_ids(), strict=False):
                await hub.store.platforms.insert(made.platform(name, Role.EMSP, "DE", party_id))
            await hub.store.platforms.insert(made.platform("pusher", Role.CPO, "NL", "CPO"))
            await hub.store.platforms.insert(made.platform("direct", Role.CPO, "NL", "DIR"))
            await hub.store.platforms.insert(made.platform("asker", Role.NAP, "NL", "ASK"))
    return Crowd(access("pusher"), access("asker"), hub_port)


def access(name: str) -> str:
    """The `Authorization` value of a platform."""
    return authorization(f"token-{name}", TokenEncoding.PLAIN)


def location(number: int, stamp: str, *, evses: int = 1) -> bytes:
    """A location of the pusher of about 2 kB."""
    many = ",".join(
        f'{{"uid":"E{evse}","status":"AVAILABLE","connectors":[],"last_updated":"{stamp}"}}' for evse in range(evses)
    )
    return (
        f'{{"country_code":"NL","party_id":"CPO","id":"L{number}","publish":true,"name":"{"x" * 1700}",'
        f'"address":"Example Street {number}","city":"Sampleton","country":"NLD",'
        f'"coordinates":{{"latitude":"52.000000","longitude":"5.000000"}},"evses":[{many}],'
        f'"time_zone":"Europe/Amsterdam","last_updated":"{stamp}"}}'
    ).encode()


def push(access: str, tail: str, body: bytes, method: str = "PUT") -> bytes:
    """The bytes of a push for everybody."""
    headers = {
        "Authorization": access,
        "OCPI-to-country-code": "NL",
        "OCPI-to-party-id": "HUB",
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "CPO",
    }
    return http(method, f"/ocpi/2.2.1/receiver/locations/NL/CPO/{tail}", headers, body)


def ask(access: str) -> bytes:
    """The bytes of a direct GET."""
    headers = {
        "Authorization": access,
        "OCPI-to-country-code": "NL",
        "OCPI-to-party-id": "DIR",
        "OCPI-from-country-code": "NL",
        "OCPI-from-party-id": "ASK",
    }
    return http("GET", "/ocpi/2.2.1/sender/locations/LOC1", headers)
