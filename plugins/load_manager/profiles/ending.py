"""How every profile ends: at the session's share of the fallback capacity, which holds when nobody refreshes it.

Rules
- A share is the group's fallback capacity divided by the number of its EVSEs, whether they have a session or not: so
  the sum is right for any number of cars.
- Where that is less than a car needs, only as many EVSEs are on as it is enough for, and they change by slots of half
  an hour of the clock, so that profiles written at different moments agree about whose turn it is.
- The turns run to an hour that all profiles of the group state; whose turn it is then stays on.
"""

from collections.abc import Sequence

from plugins.load_manager.profiles.step import StepProfile

SLOT_S = 1800
_STATED_S = 7200


def stated_hour_s(start_s: int) -> int:
    """The even hour (UTC), one to three hours after the start, at which the turns of a rotation stop."""
    return -(-(start_s + _STATED_S // 2) // _STATED_S) * _STATED_S


def fallback_shares(
    fallback_mw: int, minimum_mw: int, evses: Sequence[str], start_s: int, hour_s: int
) -> dict[str, StepProfile]:
    """What each EVSE of the group may take from `start_s` on; at every moment the sum is at most `fallback_mw`.

    `minimum_mw` is the highest minimum among them. Order and number of `evses` decide the turns, so they are the same
    for every call of one group; so is `hour_s`.
    """
    count = len(evses)
    if count == 0:
        return {}
    share_mw = fallback_mw // count
    if share_mw >= minimum_mw:
        return {evse: StepProfile.flat(start_s, share_mw) for evse in evses}
    on = max(0, fallback_mw // minimum_mw)
    if on == 0:
        return {evse: StepProfile.flat(start_s, 0) for evse in evses}
    first, last = start_s // SLOT_S, max(start_s, hour_s) // SLOT_S
    return {
        evse: StepProfile.of(
            (max(start_s, slot * SLOT_S), fallback_mw // on if (index - slot * on) % count < on else 0)
            for slot in range(first, last + 1)
        )
        for index, evse in enumerate(evses)
    }


def with_ending(plan: StepProfile, share: StepProfile, until_s: int) -> StepProfile:
    """The plan up to `until_s`, the share from then on. The plan begins before that."""
    planned = (step for step in plan.steps if step[0] < until_s)
    return StepProfile.of([*planned, *share.since(until_s).steps])
