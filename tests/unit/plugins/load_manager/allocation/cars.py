"""Cars by their usual names, and what they are given in amperes per phase."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plugins.load_manager.allocation import (
    Allocation,
    Policy,
    Session,
    Sessions,
    Tree,
    allocate,
    explain,
    quantum_mw,
    sentence,
    tenths_of_ampere,
)

KW = 1_000_000  # mW
ONE_GROUP = Tree([-1])


def car(phases: int, current_a: int, node: int = 0) -> Session:
    """`car(3, 16)` is AC3-16: three phases, 6 to 16 A each."""
    quantum = quantum_mw(phases)
    return Session(node, minimum_mw=60 * quantum, maximum_mw=current_a * 10 * quantum, quantum_mw=quantum)


AC1_16, AC3_16, AC3_32 = car(1, 16), car(3, 16), car(3, 32)


@dataclass(frozen=True)
class Given:
    """An allocation with what it was made from."""

    rows: Sequence[Session]
    limits_mw: Sequence[int]
    allocation: Allocation

    def amperes(self) -> list[float]:
        """Per phase, as an OCPI profile says them."""
        powers = self.allocation.power_mw.tolist()
        phases = [row.quantum_mw // quantum_mw(1) for row in self.rows]
        return [tenths_of_ampere(power, count) / 10 for power, count in zip(powers, phases, strict=True)]

    def kw(self) -> list[float]:
        return [power / KW for power in self.allocation.power_mw.tolist()]

    def said(self, session: int, group: str = "T1") -> str:
        return sentence(explain(self.allocation, np.array(self.limits_mw), Sessions.of(self.rows), session), group)


def given(
    limits_kw: float | Sequence[float], rows: Sequence[Session], tree: Tree = ONE_GROUP, policy: Policy = Policy.FAIR
) -> Given:
    """The allocation of one period; a single limit is the root's."""
    each = [limits_kw] if isinstance(limits_kw, (int, float)) else limits_kw
    limits_mw = [round(limit * KW) for limit in each]
    return Given(rows, limits_mw, allocate(tree, np.array(limits_mw), Sessions.of(rows), policy))
