"""The grid as a whole: groups by id, the trees they make, and whose EVSE is where. It never changes; a change makes a
new one, or is refused with everything that is wrong with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from types import MappingProxyType

from plugins.load_manager.grid import checking
from plugins.load_manager.grid.group import GridRefused, Group, Member, MemberKey, Problem


class GridModel:
    """Groups that fit together. Equal when the groups are."""

    __slots__ = ("_children", "_places", "groups")

    groups: Mapping[str, Group]
    """By id, in the order they were given."""

    def __init__(self, groups: Iterable[Group] = ()) -> None:
        """Raises GridRefused with all problems; rules in `checking`."""
        given = tuple(groups)
        if problems := checking.problems(given):
            raise GridRefused(problems)
        children: defaultdict[str, list[str]] = defaultdict(list)
        places: defaultdict[MemberKey, list[Group]] = defaultdict(list)
        for group in given:
            if group.parent is not None:
                children[group.parent].append(group.id)
            for member in group.members:
                places[member.key].append(group)
        self.groups = MappingProxyType({group.id: group for group in given})
        self._children = dict(children)
        self._places = dict(places)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GridModel) and dict(self.groups) == dict(other.groups)

    def __hash__(self) -> int:
        return hash(frozenset(self.groups.values()))

    def group_of(self, evse: Member, at: datetime) -> Group | None:
        """The group an EVSE belongs to at a moment: its own membership wins over its location's. None: unmapped."""
        for key in (evse.key, evse.key._replace(evse_uid="")):
            for group in self._places.get(key, ()):
                if group.valid_at(at):
                    return group
        return None

    def path(self, group_id: str) -> tuple[str, ...]:
        """Ids from the group itself up to its root. KeyError for a group that is not known."""
        return checking.path(self.groups, group_id)

    def root(self, group_id: str) -> str:
        """The id that names the tree of a group."""
        return self.path(group_id)[-1]

    def children(self, group_id: str) -> tuple[str, ...]:
        """Ids of the groups directly below."""
        return tuple(self._children.get(group_id, ()))

    def below(self, group_id: str) -> tuple[str, ...]:
        """Ids of the group and of all groups below it, each after its parent."""
        ids = [group_id]
        for each in ids:  # grows while it is walked
            ids += self._children.get(each, ())
        return tuple(ids)

    def trees(self) -> tuple[tuple[str, ...], ...]:
        """Ids tree by tree, each with its root first and every group after its parent."""
        return tuple(self.below(group.id) for group in self.groups.values() if group.parent is None)

    def members(self, group_id: str) -> tuple[Member, ...]:
        """Members of the group and of all groups below it."""
        return tuple(member for each in self.below(group_id) for member in self.groups[each].members)

    def of_provider(self, capacity_provider: str) -> tuple[Group, ...]:
        """The groups whose limits a capacity provider sets."""
        return tuple(group for group in self.groups.values() if group.capacity_provider == capacity_provider)

    def with_group(self, group: Group) -> "GridModel":
        """The grid with a group more, or in another form. Raises GridRefused."""
        return GridModel({**self.groups, group.id: group}.values())

    def without_group(self, group_id: str) -> "GridModel":
        """The grid without a group. KeyError when it is not known.

        Raises GridRefused while groups hang on it or it has members: what is under a limit stays under one until
        somebody says where it goes.
        """
        group = self.groups[group_id]
        problems: list[Problem] = []
        if children := self.children(group_id):
            problems.append(
                Problem(group_id, f"groups hang on it: {', '.join(children)}; give them another parent first")
            )
        if group.members:
            problems.append(
                Problem(
                    group_id, f"it has {len(group.members)} members; put them into another group or take them out first"
                )
            )
        if problems:
            raise GridRefused(problems)
        return GridModel(each for each in self.groups.values() if each.id != group_id)

    def left_out(self, after: "GridModel") -> tuple[Member, ...]:
        """Members of this grid that have no place in another one at all: whoever changes the grid is told of them."""
        return tuple(
            member
            for group in self.groups.values()
            for member in group.members
            if member.key not in after._places and member.key._replace(evse_uid="") not in after._places
        )
