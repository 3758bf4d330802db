"""What a method is worth: a few figures per run, their means over seeds, and what the load manager must reach."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

from plugins.load_manager.simulate.charging import Charged

ALL_WISHES = "load manager, all wishes"
SOME_WISHES = "load manager, 30 % wishes, priors"
NO_WISHES = "load manager, no wishes"
EQUAL_SHARE = "equal share"
FIRST_COME = "first come first served"
UNCONTROLLED = "uncontrolled"

_ALL_WISHES_LEAST = {"A": 0.99, "B": 0.99, "C": 0.99, "D": 0.97}
_NO_WISHES_LEAST = {"A": 0.94, "B": 0.94, "C": 0.94}
_WORST_LEAST = 0.6
_ABOVE_EQUAL_SHARE = 0.10
_OVERLOAD_MOST_KWH = 1e-6


@dataclass(frozen=True, slots=True)
class Figures:
    """`energy` relative to the optimum, `worst` the least share of its need that a session got, `jain` the fairness
    index of these shares (1: all the same), `overload_kwh` the energy above the limit.
    """

    energy: float
    worst: float
    jain: float
    overload_kwh: float


Results = Mapping[tuple[str, str], Figures]  # by method and workload


def figures(charged: Charged, optimum_kwh: float) -> Figures:
    """Of one run."""
    workload = charged.workload
    shares = charged.energy_kwh / workload.energy_kwh
    above_kw = np.maximum(charged.load_kw - workload.limit_kw, 0.0)
    return Figures(
        energy=float(charged.energy_kwh.sum()) / optimum_kwh,
        worst=float(shares.min()),
        jain=float(shares.sum() ** 2 / (len(shares) * (shares**2).sum())),
        overload_kwh=float(above_kw.sum()) * workload.step_h,
    )


def mean(runs: Sequence[Figures]) -> Figures:
    """The mean of each figure."""
    return Figures(
        energy=fmean(run.energy for run in runs),
        worst=fmean(run.worst for run in runs),
        jain=fmean(run.jain for run in runs),
        overload_kwh=fmean(run.overload_kwh for run in runs),
    )


def missed(results: Results) -> list[str]:
    """One sentence for each threshold that the load manager misses."""
    sentences = []
    for (method, name), got in results.items():
        least = {ALL_WISHES: _ALL_WISHES_LEAST, NO_WISHES: _NO_WISHES_LEAST}.get(method, {}).get(name, 0.0)
        if got.energy < least:
            sentences.append(f"{name}: {method} reaches {got.energy:.3f} of the optimum, less than {least}")
        if method not in (ALL_WISHES, SOME_WISHES, NO_WISHES):
            continue
        if got.overload_kwh > _OVERLOAD_MOST_KWH:
            sentences.append(f"{name}: {method} overloads by {got.overload_kwh:.6f} kWh")
        if method == ALL_WISHES:
            if got.worst < _WORST_LEAST:
                sentences.append(f"{name}: a session gets {got.worst:.2f} of its need, less than {_WORST_LEAST}")
            equal = results[EQUAL_SHARE, name].energy
            if got.energy < equal + _ABOVE_EQUAL_SHARE:
                sentences.append(f"{name}: {got.energy:.3f} is less than ten points above equal share, {equal:.3f}")
    return sentences
