"""Fewer periods, never a higher limit: charge points keep only so many."""

from plugins.load_manager.profiles.step import StepProfile

MOST_PERIODS = 8


def at_most(profile: StepProfile, most: int = MOST_PERIODS) -> StepProfile:
    """The profile in at most that many periods (two or more).

    Neighbours are merged by taking the lower one, first those where that costs least energy. The last period stays.
    """
    *earlier, last = profile.steps
    while len(earlier) + 1 > most:
        ends = [*(moment_s for moment_s, _ in earlier[1:]), last[0]]
        costs = [_cost(earlier[i], earlier[i + 1], ends[i + 1]) for i in range(len(earlier) - 1)]
        at = costs.index(min(costs))
        (moment_s, one_mw), (_, other_mw) = earlier[at : at + 2]
        earlier[at : at + 2] = [(moment_s, min(one_mw, other_mw))]
    return StepProfile.of([*earlier, last])


def _cost(one: tuple[int, int], other: tuple[int, int], end_s: int) -> int:
    if one[1] > other[1]:
        return (one[1] - other[1]) * (other[0] - one[0])
    return (other[1] - one[1]) * (end_s - other[0])
