"""The small twin of `python -m tests.bench.fan_out`: what 100 receivers cost a sender and its neighbours, and what it
costs when ten of them never answer.
"""

import pytest

from tests.bench.fan_out import answers_hold, direct_holds, one, told_in_time

RECEIVERS, HANGING = 100, 10
# The machine does other things as well: one undisturbed round out of these is enough.
ROUNDS = 4


@pytest.mark.timeout(180)
def test_many_receivers_cost_neither_sender_nor_neighbours() -> None:
    for _ in range(ROUNDS):
        few, many, stuck = (
            one(count, hanging, pinned=False) for count, hanging in ((10, 0), (RECEIVERS, 0), (RECEIVERS, HANGING))
        )
        held = (
            all(answers_hold(run, few) and direct_holds(run) for run in (many, stuck)),
            told_in_time(stuck, many),
        )
        if all(held):
            return
    pytest.fail(f"answers and direct pair, in time: {held}; {few}; {many}; {stuck}")
