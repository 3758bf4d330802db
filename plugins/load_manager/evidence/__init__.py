"""What a capacity provider can be shown: what became of each of its signals, and why each plan was as it was."""

from plugins.load_manager.evidence.activation import Activation, Allowed, Shortcoming, Why
from plugins.load_manager.evidence.decision_log import LoggedPlan, decision_rows, group_rows, read_rows
from plugins.load_manager.evidence.metering import Metered, Quality, Quarter
from plugins.load_manager.evidence.writing import csv_of, figures, quarter_figures

__all__ = [
    "Activation",
    "Allowed",
    "LoggedPlan",
    "Metered",
    "Quality",
    "Quarter",
    "Shortcoming",
    "Why",
    "csv_of",
    "decision_rows",
    "figures",
    "group_rows",
    "quarter_figures",
    "read_rows",
]
