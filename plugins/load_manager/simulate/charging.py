"""Cars charging step by step under a method that says in each step what they may draw.

All runs are simulated at once: each is a tree of its own in one forest, so a step is one allocation. A car draws what
it may until it has what it wants; then it draws nothing, which its meter shows, so it takes no part any more.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from plugins.load_manager.allocation import Sessions, Tree, allocate
from plugins.load_manager.allocation.arrays import Bools, Floats, Ints
from plugins.load_manager.simulate.workload import Workload

Powers = Callable[[Workload, int, Bools], Floats]  # workload, step, who is there and not full -> kW per session


@dataclass(frozen=True, slots=True)
class Told:
    """How much the load manager knows: the share of drivers that say what they need, whether it assumes something of
    the others, and whether it takes all that as it is or bounds it against overstatement.
    """

    share: float
    priors: bool = False
    believed: bool = True


@dataclass(frozen=True, slots=True)
class Charged:
    """What came of a run: kWh per session, and the kW of all of them per step."""

    workload: Workload
    energy_kwh: Floats
    load_kw: Floats


def step_by_step(workload: Workload, powers: Powers) -> Charged:
    """A run under a method that looks at one step and at nothing else."""
    given = np.zeros(len(workload))
    load_kw = np.zeros(len(workload.limit_kw))
    for step in range(len(load_kw)):
        hungry = workload.plugged(step) & (given < workload.energy_kwh - 1e-9)
        drawn = np.minimum(powers(workload, step, hungry), (workload.energy_kwh - given) / workload.step_h)
        given += drawn * workload.step_h
        load_kw[step] = drawn.sum()
    return Charged(workload, given, load_kw)


class LoadManaged:
    """Runs under the allocation: one per workload, with what it is told about the drivers."""

    def __init__(self, runs: Sequence[tuple[Workload, Told]]) -> None:
        self._workloads = [workload for workload, _ in runs]
        self._tree = Tree(np.full(len(runs), -1))
        self._run = np.repeat(np.arange(len(runs)), [len(workload) for workload in self._workloads])
        self._first, self._past = self._all("first"), self._all("past")
        self._wanted_kwh = self._all("energy_kwh")
        self._step_h = self._workloads[0].step_h
        told = np.concatenate([workload.told < said.share for workload, said in runs])
        assumed = np.concatenate([np.full(len(workload), said.priors) for workload, said in runs]) & ~told
        stay_h = (self._past - self._first) * self._step_h
        nothing = np.full(len(told), np.nan)
        self._told = told
        self._believed = np.concatenate([np.full(len(workload), said.believed) for workload, said in runs])
        self._stay_h = np.where(told, stay_h, np.where(assumed, self._all("prior_stay_h"), nothing))
        self._need_kwh = np.where(told, self._wanted_kwh, np.where(assumed, self._all("prior_kwh"), nothing))
        self._given = np.zeros(len(told))
        self._on_since = np.full(len(told), -1)
        self._off_since = self._first.copy()

    def steps(self) -> int:
        """How many steps there are."""
        return len(self._workloads[0].limit_kw)

    def charged(self) -> Iterator[int | list[Charged]]:
        """Yields the number of each step that is done, at last what came of all runs."""
        load = np.zeros((len(self._workloads), self.steps()))
        limits = np.array([workload.limit_kw for workload in self._workloads])
        for step in range(self.steps()):
            there = np.flatnonzero(
                (self._first <= step) & (step < self._past) & (self._given < self._wanted_kwh - 1e-9)
            )
            allocation = allocate(self._tree, _mw(limits[:, step]), self._sessions(there, step))
            self._switch(there, allocation.power_mw > 0, step)
            left_kw = (self._wanted_kwh[there] - self._given[there]) / self._step_h
            drawn_kw = np.minimum(allocation.power_mw / 1e6, left_kw)
            self._given[there] += drawn_kw * self._step_h
            np.add.at(load[:, step], self._run[there], drawn_kw)
            yield step
        yield [
            Charged(workload, self._given[self._run == run], load[run]) for run, workload in enumerate(self._workloads)
        ]

    def _sessions(self, which: Ints, step: int) -> Sessions:
        stayed_h = (step - self._first[which]) * self._step_h
        need_kwh = self._need_kwh[which] - self._given[which]
        departure_h = self._stay_h[which] - stayed_h
        # An assumption that has proved wrong says nothing any more.
        wrong = ~self._told[which] & ((need_kwh <= 0) | (departure_h <= 0))
        on = self._on_since[which] >= 0
        return Sessions(
            node=self._run[which],
            minimum_mw=self._all("minimum_mw")[which],
            maximum_mw=self._all("maximum_mw")[which],
            quantum_mw=self._all("quantum_mw")[which],
            weight_percent=np.full(len(which), 100),
            need_kwh=np.where(wrong, np.nan, need_kwh),
            departure_h=np.where(wrong, np.nan, departure_h),
            satisfied=np.zeros(len(which), dtype=np.bool_),
            may_pause=np.ones(len(which), dtype=np.bool_),
            believed=self._believed[which],
            on=on,
            on_h=np.where(on, step - self._on_since[which], 0) * self._step_h,
            min_on_h=np.full(len(which), 0.25),
            waiting_h=np.where(on, 0, step - self._off_since[which]) * self._step_h,
            arrived_s=self._first[which],
            key=which,
        )

    def _switch(self, which: Ints, on: Bools, step: int) -> None:
        was_on = self._on_since[which] >= 0
        self._on_since[which[on & ~was_on]] = step
        self._off_since[which[was_on & ~on]] = step
        self._on_since[which[~on]] = -1

    def _all(self, name: str) -> Ints:
        return np.concatenate([getattr(workload, name) for workload in self._workloads])


def _mw(kw: Floats) -> Ints:
    return np.floor(kw * 1e6 + 0.5).astype(np.int64)
