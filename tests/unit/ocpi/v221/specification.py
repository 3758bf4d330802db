"""The tables of the specification, when they lie beside the repository, and values that are right by them."""

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hub.ocpi import names
from hub.ocpi.v221 import (
    cdrs,
    charging_profiles,
    commands,
    common,
    credentials,
    hub_client_info,
    location_enums,
    locations,
    sessions,
    tariffs,
    tokens,
    versions,
)
from hub.ocpi.v221.types import OcpiObject

REFERENCE = Path(__file__).resolve().parents[5] / "shared" / "reference"
TABLES = REFERENCE / "ocpi-schema.json"
EXAMPLES = REFERENCE / "examples"

needs_tables = pytest.mark.skipif(not TABLES.is_file(), reason="the specification's tables are not here")
needs_examples = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the specification's examples are not here")

FILES = (
    cdrs,
    charging_profiles,
    commands,
    common,
    credentials,
    hub_client_info,
    location_enums,
    locations,
    sessions,
    tariffs,
    tokens,
    versions,
)

MODELS: dict[str, type[OcpiObject]] = {
    name: found
    for file in FILES
    for name, found in vars(file).items()
    if isinstance(found, type) and issubclass(found, OcpiObject) and found is not OcpiObject
}
ENUMS: dict[str, type[StrEnum]] = {
    "InterfaceRole": names.Interface,
    "Role": names.Role,
    "ConnectionStatus": names.ConnectionStatus,
} | {
    name: found
    for file in FILES
    for name, found in vars(file).items()
    if isinstance(found, type) and issubclass(found, StrEnum) and found.__module__ == file.__name__
}

# Texts with a form of their own, by the name of the field.
FORMS = {
    "latitude": "52.100000",
    "longitude": "5.200000",
    "period_begin": "08:00",
    "period_end": "18:30",
    "start_time": "08:00",
    "end_time": "00:00",
    "start_date": "2026-01-01",
    "end_date": "2026-12-31",
}
DATE_TIME = "2026-01-31T12:00:00Z"


class Row(NamedTuple):
    """One row of a table: `card` is 1, ?, * or +."""

    owner: str
    name: str
    type: str
    card: str

    @property
    def base(self) -> str:
        """`CiString` of `CiString(36)`."""
        return self.type.partition("(")[0]

    @property
    def length(self) -> int | None:
        return int(self.type.partition("(")[2].rstrip(")")) if "(" in self.type else None


@cache
def tables() -> Mapping[str, Any]:
    """The tables of 2.2.1 by name; none when they are not here."""
    if not TABLES.is_file():
        return {}
    found: dict[str, Any] = json.loads(TABLES.read_text())["2.2.1"]
    return found


def objects() -> list[str]:
    return [name for name, table in tables().items() if table["kind"] == "object"]


def enums() -> list[str]:
    return [name for name, table in tables().items() if table["kind"] == "enum"]


def rows(owner: str) -> list[Row]:
    return [Row(owner, name, row["type"], row["card"]) for name, row in tables()[owner]["fields"].items()]


def one(row: Row) -> Any:
    """One right value of a row's type, in the way the codec reads it."""
    match row.base:
        case "number":
            return Decimal("0.2500")
        case "int":
            return 1
        case "boolean":
            return False
        case "DateTime":
            return DATE_TIME
        case "URL":
            return "https://example.com/a?b=1"
        case "string" | "CiString":
            return FORMS.get(row.name, "Aa1"[: row.length])
        case "Array or Object or String":
            return {"any": [Decimal("1.50"), None]}
    table = tables()[row.type]
    return table["values"][0] if table["kind"] == "enum" else least(row.type)


def present(row: Row) -> Any:
    """A right value of the field: a list where it is one."""
    return [one(row)] if row.card in ("*", "+") else one(row)


def least(name: str) -> dict[str, Any]:
    """An object with its required fields alone."""
    return {row.name: present(row) for row in rows(name) if row.card in ("1", "+")}


def most(name: str) -> dict[str, Any]:
    """An object with all its fields."""
    return {row.name: present(row) for row in rows(name)}
