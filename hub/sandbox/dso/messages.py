"""Bodies of OSCP 2.0 as the simulated DSO writes them, and what it looks at before it takes one."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.ocpi import codec, times

Body = dict[str, Any]

# What each message that a Capacity Provider takes must have.
REQUIRED: dict[str, tuple[str, ...]] = {
    "register": ("token", "version_url"),
    "handshake": (),
    "handshake_acknowledge": (),
    "handshake_acknowledgment": (),
    "heartbeat": ("offline_mode_at",),
    "adjust_group_capacity_forecast": ("group_id", "type", "forecasted_blocks"),
    "group_capacity_compliance_error": ("message",),
    "update_group_measurements": ("group_id", "measurements"),
    "update_asset_measurements": ("group_id", "measurements"),
}


def block(
    start: datetime, end: datetime, capacity: Decimal | float | str, unit: str = "KW", phase: str = "ALL"
) -> Body:
    """A forecasted block."""
    return {
        "capacity": capacity,
        "phase": phase,
        "unit": unit,
        "start_time": times.render(start),
        "end_time": times.render(end),
    }


def forecast(group_id: str, blocks: Sequence[Body], kind: str) -> Body:
    return {"group_id": group_id, "type": kind, "forecasted_blocks": list(blocks)}


def behaviour(heartbeat_interval_s: float | None, measurements: Sequence[str]) -> Body:
    """What the DSO requires of the other side, around it the handshake."""
    wanted: Body = {"measurement_configuration": list(measurements)}
    if heartbeat_interval_s is not None:
        wanted["heartbeat_interval"] = heartbeat_interval_s
    return {"required_behaviour": wanted}


def register(token: str, versions: Sequence[tuple[str, str]]) -> Body:
    return {"token": token, "version_url": [{"version": version, "base_url": url} for version, url in versions]}


def missing(path: str, body: bytes) -> str | None:
    """What is wrong with the body of a message; None when it can be taken."""
    try:
        found = codec.loads(body or b"{}")
    except codec.NotJson:
        return "the body is not JSON"
    if not isinstance(found, dict):
        return "the body is not an object"
    absent = [name for name in REQUIRED[path] if name not in found]
    return f"{absent[0]} is missing" if absent else None


def shares(blocks: Sequence[Body], count: int) -> list[list[Body]]:
    """The blocks in as many parts, none of them empty. Raises ValueError when there are too few."""
    if len(blocks) < count:
        raise ValueError(f"{len(blocks)} blocks do not make {count} segments")
    size, more = divmod(len(blocks), count)
    parts, start = [], 0
    for index in range(count):
        end = start + size + (index < more)
        parts.append(list(blocks[start:end]))
        start = end
    return parts
