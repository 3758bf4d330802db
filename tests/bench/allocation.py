"""What one period costs to allocate: 100,000 sessions at 5,000 sites in a tree of four levels that is short at every
node, and one tree of 200 sessions.

Run it with `python -m tests.bench.allocation`. It starts from arrays and takes the median CPU time of the rounds;
memory is the most the process ever held. Then the same goes to a process beside an event loop, as plugins compute what
is long: how late a timer of that loop is at most is measured meanwhile. Ends with 1 when a goal is missed.
"""

import asyncio
import resource
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
from rich.console import Console
from rich.table import Table

from hub.broker.plugins.computing import Computing
from plugins.load_manager.allocation import Allocation, Policy, Sessions, Tree, allocate
from plugins.load_manager.allocation.arrays import Bools, Ints

ROUNDS = 5
MOST_S = 1.0
MOST_ONE_TREE_S = 0.005
MOST_MIB = 1024
MOST_LAG_S = 0.02
TICK_S = 0.001
_PHASES = np.array([1, 1, 3, 3])
_AMPERES = np.array([16, 32, 16, 32])
_SHARES = (0.30, 0.15, 0.50, 0.05)


def tree_of(areas: int, feeders: int, sites: int, roots: int = 1) -> Tree:
    """Four levels; feeders and sites are counted in all."""
    nodes = [np.full(roots, -1)]
    above, first = roots, 0
    for count in (areas, feeders, sites):
        nodes.append(first + np.arange(count) * above // count)
        first, above = first + above, count
    return Tree(np.concatenate(nodes))


def sessions_of(tree: Tree, count: int, seed: int = 0) -> Sessions:
    """Cars of four kinds, a third of whose drivers said what they need; every tenth has it, half of all are on."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(4, count, p=_SHARES)
    phases, amperes = _PHASES[kind], _AMPERES[kind]
    told = rng.random(count) < 1 / 3
    on: Bools = rng.random(count) < 0.5
    keys = np.array([f"NL-ABC-{number:09d}" for number in rng.permutation(count)])
    return Sessions(
        node=rng.choice(tree.levels[-1], count),
        minimum_mw=phases * 1_380_000,
        maximum_mw=phases * 230_000 * amperes,
        quantum_mw=phases * 23_000,
        weight_percent=rng.choice(np.array([100, 200, 50]), count, p=(0.8, 0.1, 0.1)),
        need_kwh=np.where(told, rng.lognormal(np.log(13.0), 0.65, count), np.nan),
        departure_h=np.where(told, rng.uniform(0.2, 14.0, count), np.nan),
        satisfied=rng.random(count) < 0.1,
        may_pause=rng.random(count) < 0.8,
        believed=np.zeros(count, dtype=np.bool_),
        on=on,
        on_h=np.where(on, rng.integers(0, 48, count) / 12, 0.0),
        min_on_h=np.full(count, 0.25),
        waiting_h=np.where(on, 0.0, rng.integers(0, 24, count) / 12),
        arrived_s=rng.integers(0, 86_400, count),
        key=keys,
    )


def short_limits(tree: Tree, sessions: Sessions, share: float = 0.3) -> Ints:
    """Limits that bind at every level: a share of what is under each node, somewhat less the higher it stands."""
    total = np.zeros(len(tree), dtype=np.int64)
    np.add.at(total, sessions.node, sessions.maximum_mw)
    for nodes in reversed(tree.levels[1:]):
        np.add.at(total, tree.parents[nodes], total[nodes])
    limits = np.zeros(len(tree), dtype=np.int64)
    for height, nodes in enumerate(reversed(tree.levels)):
        limits[nodes] = (total[nodes] * (share * 0.93**height)).astype(np.int64)
    return limits


def cpu_s(call: Callable[[], Allocation], rounds: int) -> float:
    """The median over the rounds, after one to warm up."""
    call()
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


async def lag_s(call: Callable[[], Allocation], rounds: int) -> float:
    """How late a timer is at most, in seconds, while the call goes on in the process beside; the median of the
    rounds.
    """
    computing = Computing()
    try:
        await computing.run(call)
        return statistics.median([await _lag_s(computing, call) for _ in range(rounds)])
    finally:
        await computing.close()


async def _lag_s(computing: Computing, call: Callable[[], Allocation]) -> float:
    longest_s, work = 0.0, asyncio.ensure_future(computing.run(call))
    while not work.done():
        due_s = time.monotonic() + TICK_S
        await asyncio.sleep(TICK_S)
        longest_s = max(longest_s, time.monotonic() - due_s)
    await work
    return longest_s


def main() -> int:
    table = Table("sessions", "trees", "policy", "CPU ms", "allowed ms")
    missed = False
    cases = (
        (tree_of(20, 500, 5_000), 100_000, ROUNDS, MOST_S),
        (tree_of(250, 1_000, 5_000, roots=250), 100_000, ROUNDS, MOST_S),
        (tree_of(2, 5, 20), 200, 20 * ROUNDS, MOST_ONE_TREE_S),
    )
    for tree, count, rounds, most_s in cases:
        sessions = sessions_of(tree, count)
        limits_mw = short_limits(tree, sessions)
        for policy in Policy:
            took_s = cpu_s(lambda: allocate(tree, limits_mw, sessions, policy), rounds)  # noqa: B023 - called at once
            missed |= took_s > most_s
            row = (f"{count:,}", str(len(tree.levels[0])), policy, f"{took_s * 1000:.1f}", f"{most_s * 1000:.0f}")
            table.add_row(*row)
    tree = tree_of(20, 500, 5_000)
    sessions = sessions_of(tree, 100_000)
    late_s = asyncio.run(lag_s(partial(allocate, tree, short_limits(tree, sessions), sessions, Policy.FAIR), ROUNDS))
    missed |= late_s > MOST_LAG_S
    held_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    missed |= held_mib > MOST_MIB
    console = Console()
    console.print(table)
    late = f"{late_s * 1000:.1f} ms, allowed {MOST_LAG_S * 1000:.0f}"
    console.print(f"beside 100,000 sessions the event loop is late by at most {late}")
    console.print(f"memory {held_mib:.0f} MiB, allowed {MOST_MIB}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
