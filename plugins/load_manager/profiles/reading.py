"""Somebody else's ChargingProfile as a step function that is never looser than it.

Rules
- Where the profile says nothing (before its first period, after its `duration`) the session's maximum holds.
- Without a start it begins with charging. While that has not happened it may begin at any moment, so at each moment
  the lowest counts of what it could say by then.
- A limit below `min_charging_rate` charges nobody: 0.
- Steps at a fraction of a second count for the whole second where they go down, after it where they go up.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from hub.ocpi import times
from plugins.load_manager.profiles.scale import Scale
from plugins.load_manager.profiles.step import StepProfile, minimum, second

_MOST_SECONDS = 10 * 366 * 86_400
_TOO_LARGE = Decimal(10**9)


class NotAProfile(ValueError):
    """The value is no ChargingProfile; the text says why."""


class _Period(NamedTuple):
    offset_s: int
    power_mw: int


def from_ocpi(
    value: Mapping[str, object],
    *,
    scale: Scale,
    maximum_mw: int,
    now: datetime,
    charging_since: datetime | None = None,
) -> StepProfile:
    """The profile from `now` on; numbers are as the codec reads them. `scale` gives phases and voltage.

    `charging_since` is None while the car does not charge yet. Raises NotAProfile.
    """
    unit = value.get("charging_rate_unit")
    if unit not in {"A", "W"}:
        raise NotAProfile("charging_rate_unit is neither A nor W")
    scale = Scale("A" if unit == "A" else "W", scale.phases, scale.minimum_mw, voltage_v=scale.voltage_v)
    periods = _periods(value, scale, maximum_mw)
    text = value.get("start_date_time")
    start = charging_since if text is None else _moment(text)
    if start is None:
        return _at_any_start(periods, second(now))
    early_s = second(start)
    late_s = second(start + timedelta(microseconds=999_999))
    return minimum(*(_starting(periods, start_s, maximum_mw) for start_s in (early_s, late_s))).since(second(now))


def _periods(value: Mapping[str, object], scale: Scale, maximum_mw: int) -> list[_Period]:
    lowest = value.get("min_charging_rate")
    lowest_mw = 0 if lowest is None else scale.power_mw(_number(lowest, "min_charging_rate"))
    duration = value.get("duration")
    end_s = None if duration is None else _seconds(duration, "duration")
    listed = value.get("charging_profile_period")
    if listed is not None and not isinstance(listed, list):
        raise NotAProfile("charging_profile_period is no list")
    at: dict[int, int] = {}
    for item in listed or ():
        if not isinstance(item, Mapping):
            raise NotAProfile("a period is no object")
        offset_s = _seconds(item.get("start_period"), "start_period")
        power_mw = min(maximum_mw, scale.power_mw(_number(item.get("limit"), "limit")))
        if end_s is None or offset_s < end_s:
            at[offset_s] = min(at.get(offset_s, maximum_mw), power_mw if power_mw >= lowest_mw else 0)
    at.setdefault(0, maximum_mw)
    if end_s is not None:
        at[end_s] = maximum_mw
    return [_Period(offset_s, at[offset_s]) for offset_s in sorted(at)]


def _starting(periods: list[_Period], start_s: int, maximum_mw: int) -> StepProfile:
    # Before its start there is no limit of it: a period of its own, because a profile extends its first one backwards.
    return StepProfile.of([(start_s - 1, maximum_mw), *((start_s + at_s, mw) for at_s, mw in periods)])


def _at_any_start(periods: list[_Period], now_s: int) -> StepProfile:
    lowest_mw = periods[0].power_mw
    values = []
    for offset_s, power_mw in periods:
        lowest_mw = min(lowest_mw, power_mw)
        values.append((now_s + offset_s, lowest_mw))
    return StepProfile.of(values)


def _moment(value: object) -> datetime:
    moment = times.parse(value) if isinstance(value, str) else None
    if moment is None or not 1970 < moment.year < 9000:
        raise NotAProfile("start_date_time is no date and time")
    return moment


def _number(value: object, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise NotAProfile(f"{name} is no number")
    number = Decimal(value)
    if not number.is_finite() or abs(number) >= _TOO_LARGE:
        raise NotAProfile(f"{name} is no number in reach")
    return number


def _seconds(value: object, name: str) -> int:
    number = _number(value, name)
    if number < 0 or number != int(number) or number > _MOST_SECONDS:
        raise NotAProfile(f"{name} is no whole number of seconds")
    return int(number)
