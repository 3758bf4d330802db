"""What authors of plugins test with: a real hub in the test's own process with simulated platforms at it, and a check
of everything that can be checked without knowing what a plugin is for. Nothing is loaded before it is asked for.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hub.testing.benches import CPO, EMSP, HUB, OTHER, AdminAnswer, Bench, NotRunning, bench
    from hub.testing.checking import assert_plugin, check_plugin
    from hub.testing.clock import BenchClock, NotSettled

__all__ = [
    "CPO",
    "EMSP",
    "HUB",
    "OTHER",
    "AdminAnswer",
    "Bench",
    "BenchClock",
    "NotRunning",
    "NotSettled",
    "assert_plugin",
    "bench",
    "check_plugin",
]

_ELSEWHERE = {"assert_plugin": "checking", "check_plugin": "checking", "BenchClock": "clock", "NotSettled": "clock"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"hub.testing.{_ELSEWHERE.get(name, 'benches')}"), name)
