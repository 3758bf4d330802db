"""Who may draw how much: pure decisions over a tree of grid groups and the sessions under it, in whole milliwatts."""

from plugins.load_manager.allocation.allocating import Allocation, Policy, allocate
from plugins.load_manager.allocation.current import power_mw, quantum_mw, tenths_of_ampere
from plugins.load_manager.allocation.explaining import Explanation, explain, sentence
from plugins.load_manager.allocation.reasons import Reason
from plugins.load_manager.allocation.sessions import CHEAP, FAST, GREEN, REGULAR, Session, Sessions
from plugins.load_manager.allocation.tree import NO_LIMIT_MW, Tree

__all__ = [
    "CHEAP",
    "FAST",
    "GREEN",
    "NO_LIMIT_MW",
    "REGULAR",
    "Allocation",
    "Explanation",
    "Policy",
    "Reason",
    "Session",
    "Sessions",
    "Tree",
    "allocate",
    "explain",
    "power_mw",
    "quantum_mw",
    "sentence",
    "tenths_of_ampere",
]
