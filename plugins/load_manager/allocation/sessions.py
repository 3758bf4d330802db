"""What the allocation knows about each charging session: one row to write down, arrays to reckon with."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from plugins.load_manager.allocation.arrays import Bools, Floats, Ints

REGULAR = GREEN = 100  # weights in percent of a regular session's
FAST = 200
CHEAP = 50
MAX_WEIGHT_PERCENT = 1024
MAX_POWER_MW = 2**32  # 4.29 MW at one connector; beyond it the arithmetic could run over


@dataclass(frozen=True, slots=True)
class Session:
    """One charging session as the allocation sees it. Powers are over all phases; `nan` stands for unknown."""

    node: int  # index of the node it stands under
    minimum_mw: int  # least it can draw without pausing
    maximum_mw: int  # most it can draw; 0 for a car that is full
    quantum_mw: int = 1  # powers are multiples of it
    weight_percent: int = REGULAR
    need_kwh: float = math.nan  # energy still wanted
    departure_h: float = math.nan  # hours until it leaves
    satisfied: bool = False  # it has what it wanted; filled last
    may_pause: bool = True  # False: its CPO allows no pause that the grid does not force
    believed: bool = False  # its need is taken as it is: it is priced by a tariff, or assumed by ourselves
    on: bool = False  # draws power now
    on_h: float = 0.0  # hours since it was switched on, while it is on
    min_on_h: float = 0.25  # so long it stays on once it is on, if the grid allows
    waiting_h: float = 0.0  # hours since it was last on or else came; 0 while it is on
    arrived_s: int = 0  # when it came, on any clock that all sessions share
    key: str | int = 0  # tells sessions apart that are equal in everything else


@dataclass(frozen=True, slots=True)
class Sessions:
    """The same for many sessions, an array per member. Raises ValueError where lengths or ranges are wrong."""

    node: Ints
    minimum_mw: Ints
    maximum_mw: Ints
    quantum_mw: Ints
    weight_percent: Ints
    need_kwh: Floats
    departure_h: Floats
    satisfied: Bools
    may_pause: Bools
    believed: Bools
    on: Bools
    on_h: Floats
    min_on_h: Floats
    waiting_h: Floats
    arrived_s: Ints
    key: npt.NDArray[Any]

    @classmethod
    def of(cls, rows: Sequence[Session]) -> "Sessions":
        """Arrays out of rows; the keys must be all texts or all whole numbers."""
        keys = np.array([row.key for row in rows]) if rows else np.zeros(0, dtype=np.int64)
        named: dict[str, Any] = {
            name: np.array([getattr(row, name) for row in rows], dtype=kind)
            for kind, names in _KINDS.items()
            for name in names
        }
        return cls(**named, key=keys)

    def __post_init__(self) -> None:
        if len({len(getattr(self, each.name)) for each in fields(self)}) > 1:
            raise ValueError("all arrays have one length")
        for name, least, most in _RANGES:
            values = getattr(self, name)
            if len(values) and not least <= values.min() <= values.max() <= most:
                raise ValueError(f"{name} lies between {least} and {most}")

    def __len__(self) -> int:
        return len(self.node)

    def taken(self, which: Ints) -> "Sessions":
        """Those at these indexes, in this order."""
        return Sessions(**{each.name: getattr(self, each.name)[which] for each in fields(self)})


_KINDS: dict[type, tuple[str, ...]] = {
    np.int64: ("node", "minimum_mw", "maximum_mw", "quantum_mw", "weight_percent", "arrived_s"),
    np.float64: ("need_kwh", "departure_h", "on_h", "min_on_h", "waiting_h"),
    np.bool_: ("satisfied", "may_pause", "believed", "on"),
}
_RANGES = (
    ("minimum_mw", 0, MAX_POWER_MW),
    ("maximum_mw", 0, MAX_POWER_MW),
    ("quantum_mw", 1, MAX_POWER_MW),
    ("weight_percent", 1, MAX_WEIGHT_PERCENT),
)
