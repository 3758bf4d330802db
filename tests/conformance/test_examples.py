"""Every object passes through the hub byte for byte: the repository's own, and the specification's examples if they
are at hand.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.app import RunningHub
from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox.world import World
from tests.conformance.own_objects import OWN_OBJECTS

S, R = Interface.SENDER, Interface.RECEIVER
EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "reference" / "examples"


@dataclass(frozen=True, slots=True)
class Sample:
    """One text and the OCPI type it is an example of: `Location`, `EVSE/PATCH`, `Envelope<Token>` ..."""

    name: str
    kind: str
    body: bytes


def _published() -> list[Sample]:
    index = EXAMPLES / "index.json"
    if not index.is_file():
        return []
    rows = json.loads(index.read_text())
    return [
        Sample(row["file"], row["type"], (EXAMPLES / row["file"]).read_bytes())
        for row in rows
        if row["version"] == "2.2.1"
    ]


# type -> (module, path tail below {country}/{party}), for pushes by the CPO (to NL/EMA) or the eMSP (to NL/CPA)
PUSHES = {
    "Location": (names.LOCATIONS, "/X1"),
    "EVSE": (names.LOCATIONS, "/X1/E1"),
    "Connector": (names.LOCATIONS, "/X1/E1/1"),
    "Session": (names.SESSIONS, "/X1"),
    "Tariff": (names.TARIFFS, "/X1"),
    "Token": (names.TOKENS, "/X1"),
    "CDR": (names.CDRS, ""),
}
ROUTED = set(PUSHES)

SAMPLES = [*(Sample(name, kind, body) for name, kind, body in OWN_OBJECTS), *_published()]
OBJECTS = [one for one in SAMPLES if one.kind.removesuffix("/PATCH") in ROUTED]
ENVELOPES = [
    one
    for one in SAMPLES
    if one.kind.startswith("Envelope<") and one.kind[9:-1].removeprefix("list[").removesuffix("]") in ROUTED
]


def test_there_is_something_of_every_kind() -> None:
    assert {one.kind.removesuffix("/PATCH") for one in OBJECTS} == ROUTED
    assert ENVELOPES


@pytest.mark.parametrize("sample", OBJECTS, ids=lambda one: one.name)
async def test_a_pushed_object_arrives_byte_for_byte(hub: RunningHub, world: World, sample: Sample) -> None:
    module, tail = PUSHES[sample.kind.removesuffix("/PATCH")]
    method = "PATCH" if sample.kind.endswith("/PATCH") else "POST" if module == names.CDRS else "PUT"
    # The examples belong to parties of their own; the hub only lets owners speak for themselves.
    owner = json.loads(sample.body)
    country, party = owner.get("country_code"), owner.get("party_id")
    by, to = ("P2", "NL/CPA") if module == names.TOKENS else ("P1", "NL/EMA")
    sender = f"{country}/{party}" if country and party else ("NL/EMA" if by == "P2" else "NL/CPA")
    if country and party and PartyId(country, party) not in world[by].parties:
        role = Role.EMSP if by == "P2" else Role.CPO
        handshake = await world[by].update(roles=[*world[by].roles, (role, country, party)])
        assert handshake.ok, handshake.problem
    world.forget_received()
    path = "" if module == names.CDRS else f"{sender}{tail}"
    receiver = world["P1" if by == "P2" else "P2"]
    receiver.faults.on(module).answer(200, b'{"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}')
    answer = await world[by].call(method, module, R, path, to=to, sender=sender, body=sample.body)
    assert answer.ok, answer
    assert receiver.received[-1].body == sample.body


@pytest.mark.parametrize("sample", [*OBJECTS, *ENVELOPES], ids=lambda one: one.name)
async def test_an_answer_comes_back_byte_for_byte(hub: RunningHub, world: World, sample: Sample) -> None:
    body = sample.body
    if not sample.kind.startswith("Envelope"):
        body = b'{"data": ' + body + b', "status_code": 1000,\n "timestamp": "2026-01-01T00:00:00Z" }'
    world["P1"].faults.on(names.LOCATIONS).answer(200, body)
    answer = await world["P2"].call("GET", names.LOCATIONS, S, "X1", to="NL/CPA", sender="NL/EMA")
    assert answer.body == body
