"""The walk of a message through the hub, and what keeps the hub going beside it: registration, liveness, callbacks,
alarms.
"""
