"""A step function as OCPI's ChargingProfile.

The start is always absolute and there is never a `duration`: a profile that ends would leave the car without a limit.
"""

from datetime import UTC, datetime

from hub.ocpi import times
from plugins.load_manager.profiles.periods import MOST_PERIODS, at_most
from plugins.load_manager.profiles.scale import Scale
from plugins.load_manager.profiles.step import StepProfile


def written(profile: StepProfile, scale: Scale, most: int = MOST_PERIODS) -> StepProfile:
    """What remains of it when it is sent: rounded down, in at most that many periods. Never looser, and stable."""
    return at_most(profile.each(scale.rounded), most)


def to_ocpi(profile: StepProfile, scale: Scale, most: int = MOST_PERIODS) -> dict[str, object]:
    """The JSON value of a ChargingProfile; limits are Decimal with one decimal."""
    sent = written(profile, scale, most)
    return {
        "start_date_time": times.render(datetime.fromtimestamp(sent.start_s, UTC)),
        "charging_rate_unit": scale.unit,
        "charging_profile_period": [
            {"start_period": offset_s, "limit": scale.limit(power_mw)} for offset_s, power_mw in sent.periods
        ],
    }
