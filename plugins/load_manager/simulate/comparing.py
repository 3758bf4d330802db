"""All methods on all workloads and seeds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from plugins.load_manager.simulate import figures, simple
from plugins.load_manager.simulate.charging import Charged, LoadManaged, Told, step_by_step
from plugins.load_manager.simulate.figures import Figures
from plugins.load_manager.simulate.optimum import optimum_kwh
from plugins.load_manager.simulate.workload import make

_TOLD = {
    figures.ALL_WISHES: Told(1.0, believed=False),
    figures.SOME_WISHES: Told(0.3, priors=True),
    figures.NO_WISHES: Told(0.0),
}
_SIMPLE = {
    figures.EQUAL_SHARE: simple.equal_share,
    figures.FIRST_COME: simple.first_come,
    figures.UNCONTROLLED: simple.uncontrolled,
}
METHODS = (*_TOLD, *_SIMPLE)


@dataclass(frozen=True, slots=True)
class Comparison:
    """`results` are means over the seeds, by method and workload; `runs` are those of the first seed, for a chart."""

    results: dict[tuple[str, str], Figures]
    runs: dict[tuple[str, str], Charged]


def parts(seeds: Sequence[int], names: Sequence[str]) -> int:
    """How many times `compare` reports progress."""
    return len(seeds) * len(names) * (len(_SIMPLE) + 1) + 432


def compare(seeds: Sequence[int], names: Sequence[str], progressed: Callable[[], None] = lambda: None) -> Comparison:
    """Simulates and solves everything. seeds and names: at least one each."""
    workloads = [make(name, seed) for name in names for seed in seeds]
    charged: dict[str, list[Charged]] = {method: [] for method in METHODS}
    best_kwh = []
    for workload in workloads:
        best_kwh.append(optimum_kwh(workload))
        progressed()
        for method, powers in _SIMPLE.items():
            charged[method].append(step_by_step(workload, powers))
            progressed()
    managed = LoadManaged([(workload, told) for told in _TOLD.values() for workload in workloads])
    for done in managed.charged():
        if isinstance(done, int):
            progressed()
            continue
        for number, method in enumerate(_TOLD):
            charged[method] = done[number * len(workloads) : (number + 1) * len(workloads)]
    results, runs = {}, {}
    for method in METHODS:
        for at, name in enumerate(names):
            span = range(at * len(seeds), (at + 1) * len(seeds))
            results[method, name] = figures.mean([figures.figures(charged[method][k], best_kwh[k]) for k in span])
            runs[method, name] = charged[method][span.start]
    return Comparison(results, runs)
