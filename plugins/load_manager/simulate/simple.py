"""The methods people think of first, for comparison. Each says what every session may draw in one step, in kW;
`hungry` are those that are there and not full.
"""

import numpy as np

from plugins.load_manager.allocation.arrays import Bools, Floats
from plugins.load_manager.simulate.workload import Workload


def uncontrolled(workload: Workload, _step: int, hungry: Bools) -> Floats:
    """Everybody at full power, whatever the grid says."""
    return np.where(hungry, workload.maximum_mw / 1e6, 0.0)


def equal_share(workload: Workload, step: int, hungry: Bools) -> Floats:
    """The limit divided by the number of cars that want some; nothing for who cannot charge with so little."""
    share_kw = workload.limit_kw[step] / max(1, np.count_nonzero(hungry))
    least_kw = workload.minimum_mw / 1e6
    return np.where(hungry & (share_kw >= least_kw), np.minimum(share_kw, workload.maximum_mw / 1e6), 0.0)


def first_come(workload: Workload, step: int, hungry: Bools) -> Floats:
    """As much as possible for who came first, then for the next."""
    powers_kw = np.zeros(len(workload))
    left_kw = workload.limit_kw[step]
    waiting = np.flatnonzero(hungry)
    for session in waiting[np.argsort(workload.first[waiting], kind="stable")].tolist():
        power_kw = min(left_kw, workload.maximum_mw[session] / 1e6)
        if power_kw >= workload.minimum_mw[session] / 1e6:
            powers_kw[session] = power_kw
            left_kw -= power_kw
    return powers_kw
