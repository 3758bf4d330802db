"""Whether groups make a grid: at every moment a forest of at most eight levels in which an EVSE has one place.

Rules
- An id stands once, a parent is known, and nobody is above itself.
- A group counts only while its parent counts.
- A member stands once. An EVSE may stand in a group and its location in another one above or below: then the EVSE's own
  place is its place. Anywhere else that is a contradiction. Groups that never count at the same time do not contradict
  each other, which is how a move at a stated time is written.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from plugins.load_manager.grid.group import Group, Member, MemberKey, PhaseModel, Problem, Scope
from plugins.load_manager.grid.power import MOST_MW

MOST_LEVELS = 8


def problems(groups: Sequence[Group]) -> list[Problem]:
    """Everything that is wrong. What is wrong with the tree hides what is wrong with members, which depends on it."""
    found = [problem for group in groups for problem in _alone(group)]
    by_id: dict[str, Group] = {}
    for group in groups:
        if group.id in by_id:
            found.append(Problem(group.id, "the id stands twice"))
        by_id[group.id] = group
    tree = list(_in_the_tree(by_id))
    return found + (tree or list(_members(by_id)))


def path(by_id: Mapping[str, Group], group_id: str) -> tuple[str, ...]:
    """Ids from the group to its root, in a grid without circles."""
    ids = [group_id]
    while (parent := by_id[ids[-1]].parent) is not None:
        ids.append(parent)
    return tuple(ids)


def _alone(group: Group) -> Iterator[Problem]:
    for name, power_mw in (
        ("static_capacity_kw", group.static_capacity_mw),
        ("fallback_capacity_kw", group.fallback_capacity_mw),
        ("arrival_reserve_kw", group.arrival_reserve_mw),
    ):
        if power_mw is not None and power_mw < 0:
            yield Problem(group.id, f"{name} is negative")
        elif power_mw is not None and power_mw > MOST_MW:
            yield Problem(group.id, f"{name} is above ten gigawatts")
    if not 0 <= group.margin < 1:
        yield Problem(group.id, "margin is a share from 0 to below 1, such as 0.02")
    if not 0 < group.ramp_up <= 1:
        yield Problem(group.id, "ramp_up is a share of the static capacity a minute, above 0 and up to 1, such as 0.1")
    if group.valid_from is not None and group.valid_to is not None and group.valid_from >= group.valid_to:
        yield Problem(group.id, "valid_to is not after valid_from")
    if group.scope is Scope.TOTAL:
        yield Problem(group.id, "scope TOTAL needs a meter for what is no charging, which is not supported: EV_ONLY is")
    if group.phase_model is PhaseModel.PER_PHASE:
        yield Problem(group.id, "phase_model PER_PHASE is not supported: SUM is")


def _in_the_tree(by_id: Mapping[str, Group]) -> Iterator[Problem]:
    settled: dict[str, int] = {}  # level by id; roots are on 1, and what cannot be said of a circle is 0
    for group_id in by_id:
        climbed: list[str] = []
        at: str | None = group_id
        while at is not None and at in by_id and at not in settled:
            settled[at] = 0
            climbed.append(at)
            at = by_id[at].parent
        if at in climbed:
            circle = climbed[climbed.index(at) :]
            yield Problem(circle[0], f"it is above itself: {' > '.join((*circle, circle[0]))}")
        level = settled.get(at or "", 0)
        known = at is None or level > 0
        for each in reversed(climbed):
            level += 1
            settled[each] = level if known else 0
            yield from _below_its_parent(by_id, by_id[each], settled[each])


def _below_its_parent(by_id: Mapping[str, Group], group: Group, level: int) -> Iterator[Problem]:
    parent = by_id.get(group.parent or "")
    if parent is None:
        if group.parent is not None:
            yield Problem(group.id, f"its parent {group.parent} is not known")
    elif level == MOST_LEVELS + 1:
        # Said once, of the first that is too deep, not of everything below it.
        yield Problem(group.id, f"it is on level {level}, and {MOST_LEVELS} are the most")
    elif not group.within(parent):
        yield Problem(group.id, f"it counts at times when its parent {parent.id} does not")


def _members(by_id: Mapping[str, Group]) -> Iterator[Problem]:
    places: defaultdict[MemberKey, list[tuple[Group, Member]]] = defaultdict(list)
    for group in by_id.values():
        for member in group.members:
            places[member.key].append((group, member))
    for key, own in places.items():
        for (first, member), (second, _) in combinations(own, 2):
            if first.overlaps(second):
                also = "in it twice" if first is second else f"in group {first.id} too"
                yield Problem(second.id, f"{member} stands {also}")
                break
        if not key.evse_uid:
            continue
        for evse_group, member in own:
            for location_group, _ in places.get(key._replace(evse_uid=""), ()):
                if evse_group.overlaps(location_group) and not _in_line(by_id, evse_group.id, location_group.id):
                    yield Problem(
                        evse_group.id,
                        f"{member} stands in group {location_group.id} too, with its whole location, and neither group"
                        " is above the other",
                    )


def _in_line(by_id: Mapping[str, Group], one: str, other: str) -> bool:
    return one in path(by_id, other) or other in path(by_id, one)
