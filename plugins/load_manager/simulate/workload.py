"""Invented drivers and the limit above them: the same for the same seed."""

import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from plugins.load_manager.allocation import quantum_mw
from plugins.load_manager.allocation.arrays import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Workload:
    """Sessions behind one limit. Steps are whole numbers from 0; a session charges in the steps from `first` to before
    `past`. `prior_stay_h` and `prior_kwh` are what is assumed of a driver who says nothing.
    """

    name: str
    seed: int
    step_h: float
    start_h: float
    limit_kw: Floats  # per step
    first: Ints
    past: Ints
    energy_kwh: Floats
    minimum_mw: Ints
    maximum_mw: Ints
    quantum_mw: Ints
    prior_stay_h: Floats
    prior_kwh: Floats
    told: Floats  # between 0 and 1: sessions below a share are the ones that say what they need

    def __len__(self) -> int:
        return len(self.first)

    def plugged(self, step: int) -> Bools:
        """Which sessions are there in this step."""
        return (self.first <= step) & (step < self.past)


def parameters() -> dict[str, Any]:
    """The figures of `workloads.toml`."""
    return tomllib.loads(resources.files(__package__).joinpath("workloads.toml").read_text("utf-8"))


def make(name: str, seed: int) -> Workload:
    """The workload of this name. Raises KeyError for one that the figures do not name."""
    figures = parameters()
    chosen = figures["workloads"][name]
    rng = np.random.default_rng([seed, *name.encode()])
    step_h = figures["step_min"] / 60
    steps = round((figures["end_h"] - figures["start_h"]) / step_h)

    arrival, stay, prior_stay, prior_kwh = (np.zeros(0) for _ in range(4))
    for kind, count in chosen["sessions"].items():
        habits = figures["classes"][kind]
        arrival = np.append(arrival, _drawn(rng, habits["arrival_h"], count))
        stay = np.append(stay, _drawn(rng, habits["stay_h"], count))
        prior_stay = np.append(prior_stay, np.full(count, habits["prior"]["stay_h"]))
        prior_kwh = np.append(prior_kwh, np.full(count, habits["prior"]["energy_kwh"]))

    shortest = round(figures["minimum_stay_h"] / step_h)
    first = np.clip(np.rint((arrival - figures["start_h"]) / step_h).astype(np.int64), 0, steps - shortest)
    past = np.minimum(first + np.maximum(np.rint(stay / step_h).astype(np.int64), shortest), steps)

    cars = figures["cars"]
    car = rng.choice(len(cars), len(first), p=[each["share"] for each in cars])
    quantum = np.array([quantum_mw(each["phases"]) for each in cars])[car]
    maximum = quantum * 10 * np.array([each["current_a"] for each in cars])[car]
    energy = figures["energy_kwh"]
    wanted = np.clip(_drawn(rng, energy, len(first)), energy["least"], energy["most"])
    possible = figures["most_of_stay"] * maximum / 1e6 * (past - first) * step_h
    return Workload(
        name=name,
        seed=seed,
        step_h=step_h,
        start_h=figures["start_h"],
        limit_kw=_limits(chosen, figures["start_h"] + np.arange(steps) * step_h),
        first=first,
        past=past,
        energy_kwh=np.minimum(wanted, possible),
        minimum_mw=quantum * 10 * figures["minimum_a"],
        maximum_mw=maximum,
        quantum_mw=quantum,
        prior_stay_h=prior_stay,
        prior_kwh=prior_kwh,
        told=rng.random(len(first)),
    )


def _drawn(rng: np.random.Generator, law: dict[str, Any], count: int) -> Floats:
    if "normal" in law:
        middle, deviation = law["normal"]
        return rng.normal(middle, deviation, count)
    if "uniform" in law:
        least, most = law["uniform"]
        return rng.uniform(least, most, count)
    median, sigma = law["lognormal"]
    return rng.lognormal(np.log(median), sigma, count)


def _limits(chosen: dict[str, Any], hour: Floats) -> Floats:
    limit_kw = np.full(len(hour), float(chosen["capacity_kw"]))
    for cut in chosen.get("reduced", ()):
        within = (hour % 24 >= cut["from_h"] - 1e-9) & (hour % 24 < cut["to_h"] - 1e-9)
        limit_kw[within] = chosen["capacity_kw"] * cut["share"]
    return limit_kw
