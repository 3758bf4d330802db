"""A day and a half of charging behind one limit, simulated without a network: what the allocation is worth beside
simpler methods and beside an optimum that knows the future.
"""
