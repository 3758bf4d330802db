"""Short names for the arrays that allocation works on."""

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def inside(start: Ints, stop: Ints) -> Ints:
    """All whole numbers of the slices `start[k]:stop[k]`, one slice after the other."""
    counts = stop - start
    before = np.cumsum(counts) - counts
    every: Ints = np.arange(counts.sum(), dtype=np.int64) + np.repeat(start - before, counts)
    return every
