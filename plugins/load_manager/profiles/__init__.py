"""Limits over time: as step functions to calculate with, and as the charging profiles OCPI sends."""

from plugins.load_manager.profiles.ending import SLOT_S, fallback_shares, stated_hour_s, with_ending
from plugins.load_manager.profiles.periods import MOST_PERIODS, at_most
from plugins.load_manager.profiles.reading import NotAProfile, from_ocpi
from plugins.load_manager.profiles.scale import Scale
from plugins.load_manager.profiles.step import (
    StepProfile,
    above_until,
    exceeds,
    highest,
    maximum_over,
    minimum,
    moment_of,
    second,
)
from plugins.load_manager.profiles.writing import to_ocpi, written

__all__ = [
    "MOST_PERIODS",
    "SLOT_S",
    "NotAProfile",
    "Scale",
    "StepProfile",
    "above_until",
    "at_most",
    "exceeds",
    "fallback_shares",
    "from_ocpi",
    "highest",
    "maximum_over",
    "minimum",
    "moment_of",
    "second",
    "stated_hour_s",
    "to_ocpi",
    "with_ending",
    "written",
]
