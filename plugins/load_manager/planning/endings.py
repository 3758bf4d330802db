"""What every EVSE of a tree may take when nobody refreshes its profile: its share of the fallback of each group above
it, whichever is least.

What is booked for cars that cannot be steered is taken off first, and their EVSEs have no share.
"""

from datetime import UTC, datetime, timedelta

from plugins.load_manager.grid.group import Group
from plugins.load_manager.knowledge.keys import EvseKey
from plugins.load_manager.planning.circumstances import Inputs
from plugins.load_manager.planning.field import Field, Spot
from plugins.load_manager.planning.room import Room
from plugins.load_manager.profiles import StepProfile, fallback_shares, minimum, stated_hour_s
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.effective import effective_mw

_LONGEST = timedelta(hours=3)


def endings(field: Field, room: Room, inputs: Inputs) -> dict[EvseKey, StepProfile]:
    """The shares from the moment on at which profiles end, by EVSE."""
    until_s = inputs.until_s
    until = datetime.fromtimestamp(until_s, UTC)
    counted = {spot.key for spot in field.hidden}
    counted |= {row.evse for row, steered in zip(field.rows, field.steered, strict=True) if not steered and row.evse}
    below: list[list[Spot]] = [[] for _ in field.groups]
    paths = [field.tree.path(node) for node in range(len(field.groups))]
    for spot in sorted(field.spots.values(), key=_key):
        if spot.key not in counted:
            for node in paths[spot.node]:
                below[node].append(spot)
    shares: dict[EvseKey, StepProfile] = {}
    for node, group_id in enumerate(field.groups):
        spots = below[node]
        if not spots:
            continue
        group = inputs.model.groups[group_id]
        fallback_mw = _fallback_mw(inputs.capacity(group), group, until) - int(room.uncontrolled_mw[node])
        names = [_name(spot.key) for spot in spots]
        least_mw = max(spot.minimum_mw for spot in spots)
        own = fallback_shares(max(0, fallback_mw), least_mw, names, until_s, stated_hour_s(until_s))
        for spot, name in zip(spots, names, strict=True):
            above = shares.get(spot.key)
            shares[spot.key] = own[name] if above is None else minimum(above, own[name])
    return shares


def _fallback_mw(capacity: Capacity, group: Group, start: datetime) -> int:
    """What is in force without contact, at its lowest in the hours for which an ending is written."""
    steps = capacity.limits.steps(group, start, start + _LONGEST, cut_off=True)
    return effective_mw(min(step.limit_mw for step in steps), group.margin)


def _key(spot: Spot) -> EvseKey:
    return spot.key


def _name(key: EvseKey) -> str:
    return f"{key.location}/{key.uid}"
