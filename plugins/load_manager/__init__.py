"""Keeps charging under the limits of the grid: from what grid operators say to charging profiles."""
