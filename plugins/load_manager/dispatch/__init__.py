"""Which profile goes to which session when: decreases at once, increases only when everything booked leaves room."""

from plugins.load_manager.dispatch.actions import (
    Action,
    Alarm,
    Complied,
    Deficit,
    Forget,
    Put,
    Reason,
    Regained,
    Release,
    Settle,
    TimedOut,
    Verify,
    WakeAt,
)
from plugins.load_manager.dispatch.board import Board
from plugins.load_manager.dispatch.rates import Rates
from plugins.load_manager.dispatch.row import Session, Target
from plugins.load_manager.dispatch.state import Settings, State

__all__ = [
    "Action",
    "Alarm",
    "Board",
    "Complied",
    "Deficit",
    "Forget",
    "Put",
    "Rates",
    "Reason",
    "Regained",
    "Release",
    "Session",
    "Settings",
    "Settle",
    "State",
    "Target",
    "TimedOut",
    "Verify",
    "WakeAt",
]
