"""A simulated DSO on real sockets: a Capacity Provider of OSCP 2.0, with visible memory and scripted faults."""

from hub.sandbox.dso.capacity_provider import SandboxDso
from hub.sandbox.dso.habits import DsoHabits
from hub.sandbox.dso.messages import block

__all__ = ["DsoHabits", "SandboxDso", "block"]
