"""The most that could have been charged by one who knows the future, as a linear program; it may also charge below 6 A,
so it is an upper bound.
"""

import numpy as np

from plugins.load_manager.allocation.arrays import inside
from plugins.load_manager.simulate.workload import Workload


def optimum_kwh(workload: Workload) -> float:
    """Energy in kWh. Raises ImportError where SciPy is not installed, RuntimeError when the solver gives up.

    Steps between which nobody comes or leaves and the limit stays are one interval: charging evenly in it is as good as
    any other way. A variable is the kW of one session in one interval.
    """
    from scipy.optimize import linprog  # type: ignore[import-untyped]
    from scipy.sparse import csr_array, vstack  # type: ignore[import-untyped]

    limit_kw = workload.limit_kw
    changes = np.flatnonzero(np.diff(limit_kw)) + 1
    edges = np.unique(np.concatenate([[0, len(limit_kw)], workload.first, workload.past, changes]))
    length_h = np.diff(edges) * workload.step_h
    start, stop = np.searchsorted(edges, workload.first), np.searchsorted(edges, workload.past)
    interval = inside(start, stop)
    session = np.repeat(np.arange(len(workload)), stop - start)
    variable, one = np.arange(len(interval)), np.ones(len(interval))
    per_interval = csr_array((one, (interval, variable)), shape=(len(length_h), len(variable)))
    per_session = csr_array((length_h[interval], (session, variable)), shape=(len(workload), len(variable)))
    solved = linprog(
        -length_h[interval],
        A_ub=vstack([per_interval, per_session]),
        b_ub=np.concatenate([limit_kw[edges[:-1]], workload.energy_kwh]),
        bounds=np.stack([np.zeros(len(variable)), workload.maximum_mw[session] / 1e6], axis=1),
        method="highs",
    )
    if solved.status != 0:
        raise RuntimeError(f"no optimum for workload {workload.name}, seed {workload.seed}: {solved.message}")
    return float(-solved.fun)
