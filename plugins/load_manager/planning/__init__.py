"""From what is known to what every session may draw over the next hour: pure decisions, one tree at a time."""

from plugins.load_manager.planning.circumstances import Circumstances, Inputs, Settings
from plugins.load_manager.planning.field import Field, affected, by_tree, field_of, scale_of, taking
from plugins.load_manager.planning.plan import Decision, GroupPlan, Plan, Release, Standing, Turn
from plugins.load_manager.planning.planning import plan, plan_of
from plugins.load_manager.planning.reserving import arrivals_per_h

__all__ = [
    "Circumstances",
    "Decision",
    "Field",
    "GroupPlan",
    "Inputs",
    "Plan",
    "Release",
    "Settings",
    "Standing",
    "Turn",
    "affected",
    "arrivals_per_h",
    "by_tree",
    "field_of",
    "plan",
    "plan_of",
    "scale_of",
    "taking",
]
