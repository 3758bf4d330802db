"""The examples published with the specification: right, or wrong where they are known to be."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from hub.ocpi import codec
from hub.ocpi.v221.tokens import Token
from hub.ocpi.v221.versions import Version
from plugins.schema_check.checking import Finding, findings
from tests.unit.ocpi.v221.specification import EXAMPLES, MODELS, needs_examples

pytestmark = needs_examples

INDEX = EXAMPLES / "index.json"
SAMPLES: list[Mapping[str, Any]] = (
    [row for row in json.loads(INDEX.read_text()) if row["version"] == "2.2.1"] if INDEX.is_file() else []
)

LISTS: Mapping[str, type[object]] = {"list[Token]": list[Token], "list[Version]": list[Version]}


def pointer(path: str) -> str:
    """`$.connectors[0].id` as `/connectors/0/id`."""
    return path.removeprefix("$").replace("[", ".").replace("]", "").replace(".", "/")


def named(sample: Mapping[str, Any]) -> str:
    return str(sample["file"])


def checked(kind: str, value: Any) -> list[Finding]:
    """What is found, by the type the index gives: `Tariff`, `EVSE/PATCH`, `Envelope<list[Token]>` ..."""
    if kind.startswith("Envelope<"):
        return [*findings(value, MODELS["Envelope"]), *checked(kind[9:-1], value["data"])]
    if kind.startswith("list["):
        return findings(value, LISTS[kind])
    name, _, part = kind.partition("/")
    found = findings(value, MODELS[name], partial=part == "PATCH")
    return [one for one in found if not (part == "FRAGMENT" and one.kind == "missing" and one.pointer.count("/") == 1)]


def test_there_are_some_of_both_kinds() -> None:
    assert {sample["strict_valid"] for sample in SAMPLES} == {True, False}


@pytest.mark.parametrize("sample", SAMPLES, ids=named)
def test_what_is_wrong_is_found_and_nothing_else(sample: Mapping[str, Any]) -> None:
    value = codec.loads((EXAMPLES / sample["file"]).read_bytes())
    known = {(pointer(one["path"]), one["kind"]) for one in sample["violations"] if one["kind"] != "unknown-field"}

    assert {(one.pointer, one.kind) for one in checked(sample["type"], value)} == known


@pytest.mark.parametrize("sample", [row for row in SAMPLES if row["strict_valid"] and row["type"] in MODELS], ids=named)
def test_it_is_written_as_it_was_read(sample: Mapping[str, Any]) -> None:
    value = codec.loads((EXAMPLES / sample["file"]).read_bytes())

    document = MODELS[sample["type"]].model_validate(value).document()

    assert codec.loads(codec.dumps(document)) == value
    assert sorted(codec.dumps(document)) == sorted(codec.dumps(value))  # every digit, whatever the order of members
