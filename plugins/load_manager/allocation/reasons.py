"""Why a session may draw what it may draw."""

from enum import IntEnum


class Reason(IntEnum):
    """One per session and allocation; the first four draw power, the others are paused."""

    FULL = 0  # its own maximum, nothing in the grid holds it back
    SHARED = 1  # its fair share of what the group that binds it has
    FLOOR = 2  # what it needs by its departure or its minimum, which is more than its fair share
    MET = 3  # it has what it asked for, so it takes what the others leave
    WAITING = 4  # no room for its minimum beside those whose turn it is
    NO_CAPACITY = 5  # a group above it has less than its minimum, whoever else charges
    UNABLE = 6  # the most it can take lies below the least it can take

    @property
    def paused(self) -> bool:
        """Whether it means 0 A."""
        return self >= Reason.WAITING
