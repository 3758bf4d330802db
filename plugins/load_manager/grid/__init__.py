"""Which EVSE hangs on which part of the grid: groups, their tree and their members, and what a connector can draw. What
a DSO says about a group is in `signals`.
"""
