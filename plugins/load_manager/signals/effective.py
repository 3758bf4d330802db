"""What may be given to sessions: the capacity, without the margin and what is drawn by those who cannot be told. And
how much of that to keep for those who arrive.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import floor

from plugins.load_manager.grid.group import Group
from plugins.load_manager.signals.in_force import InForce
from plugins.load_manager.signals.ramp import Ramp, split
from plugins.load_manager.signals.step import Step

DEFAULT_EXPOSURE_S = 15
MOST_ARRIVALS = Decimal("0.999")


@dataclass(frozen=True, slots=True)
class Effective:
    """The effective capacity from `start` until before `end`. Below 0 not even what cannot be told fits."""

    start: datetime
    end: datetime
    effective_mw: int
    force: InForce


def effective_mw(capacity_mw: int, margin: Decimal, *, ramp_mw: int | None = None, uncontrolled_mw: int = 0) -> int:
    """`min(ramp, (1 - margin) * capacity) - uncontrolled`, rounded down to a milliwatt."""
    within_mw = floor((1 - margin) * capacity_mw)
    if ramp_mw is not None:
        within_mw = min(within_mw, ramp_mw)
    return within_mw - uncontrolled_mw


def effective(steps: Iterable[Step], group: Group, ramp: Ramp | None, *, uncontrolled_mw: int) -> tuple[Effective, ...]:
    """The effective capacity along the steps of a limit that knows no ramp yet. `uncontrolled_mw` is the highest power
    of those who cannot be told.
    """
    return tuple(
        Effective(
            step.start,
            step.end,
            effective_mw(
                step.limit_mw,
                group.margin,
                ramp_mw=None if ramp is None else ramp.at(step.start),
                uncontrolled_mw=uncontrolled_mw,
            ),
            step.force,
        )
        for step in split(steps, ramp)
    )


def arrival_reserve_mw(
    arrivals_per_h: Decimal, default_mw: int, free_evses: int, exposure_s: int = DEFAULT_EXPOSURE_S
) -> int:
    """Power kept for sessions that start before they can be told: as many as come in the exposure time in all but one
    of a thousand cases, no more than there are free EVSEs, each at `default_mw`.
    """
    return min(poisson_quantile(arrivals_per_h * exposure_s / 3600, free_evses), free_evses) * default_mw


def poisson_quantile(mean: Decimal, most: int, share: Decimal = MOST_ARRIVALS) -> int:
    """The lowest number that a Poisson variable exceeds in no more than `1 - share` of all cases; `most` if that is
    lower.
    """
    term = total = (-mean).exp()
    number = 0
    while total < share and number < most:
        number += 1
        term = term * mean / number
        total += term
    return number
