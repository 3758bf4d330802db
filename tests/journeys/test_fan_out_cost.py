"""The small twin of `python -m tests.bench.fan_out`: what 100 receivers cost a sender and its neighbours, and what it
costs when ten of them never answer.
"""

import pytest

from tests.bench.fan_out import Run, answers_hold, direct_holds, one, told_in_time

RECEIVERS, HANGING = 100, 10
# The machine does other things as well: one undisturbed round out of these is enough.
ROUNDS = 6


def _missed(few: Run, many: Run, stuck: Run) -> list[str]:
    """The goals that were missed."""
    goals = {
        "answers": answers_hold(many, few) and answers_hold(stuck, few),
        "direct pair": direct_holds(many) and direct_holds(stuck),
        "others in time": told_in_time(stuck, many),
    }
    return [goal for goal, held in goals.items() if not held]


@pytest.mark.timeout(180)
def test_many_receivers_cost_neither_sender_nor_neighbours() -> None:
    told = []
    for _ in range(ROUNDS):
        few, many, stuck = (
            one(count, hanging, pinned=False) for count, hanging in ((10, 0), (RECEIVERS, 0), (RECEIVERS, HANGING))
        )
        missed = _missed(few, many, stuck)
        if not missed:
            return
        told.append(f"{', '.join(missed)}: {few}; {many}; {stuck}")
    pytest.fail("\n".join(told))
