"""All that steering goes by, as the node that holds the duty has it in memory; it stands on the shelf as well.

A session's row is on the board of the tree it stands in. Rows that stand in no tree any more stay on a board of their
own, without limits, until their profile is taken away.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from hub.ocpi.party_id import PartyId
from plugins.load_manager.dispatch import Board
from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.evidence import LoggedPlan
from plugins.load_manager.grid.group import Group, Member
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.keys import LocationKey, SessionKey, location_key
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.knowledge.power import Drawn
from plugins.load_manager.knowledge.session import Session
from plugins.load_manager.planning import Plan
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.signals.heard import Heard

NOWHERE = ""
"""The board of sessions that stand in no tree."""


@dataclass(slots=True)
class Mode:
    """`shadow`: nothing is sent. `stopped`: every group falls back."""

    shadow: bool = False
    stopped: bool = False


@dataclass(slots=True)
class Tree:
    """One connected tree: its board, the last plan, and the sessions in it. `logged` is what is known of the plan where
    another node makes it.
    """

    board: Board
    plan: Plan | None = None
    sessions: dict[SessionKey, Session] = field(default_factory=dict)
    logged: LoggedPlan | None = None

    @property
    def seen(self) -> Plan | LoggedPlan | None:
        """The last plan for those who look on."""
        return self.logged if self.plan is None else self.plan


@dataclass(slots=True)
class Scene:
    """`demand_mw` is what the connectors of each group could draw together, as last counted, and `drawn` what its
    sessions draw; `debts` are handles of results that eMSPs are owed; `unreachable` are CPOs that nothing is sent to;
    `leaving`: nobody is steered any more, and what was sent is taken back.
    """

    known: Known
    model: GridModel = field(default_factory=GridModel)
    capacities: dict[str, Capacity] = field(default_factory=dict)
    heard: Heard = field(default_factory=Heard)
    trees: dict[str, Tree] = field(default_factory=dict)
    mode: Mode = field(default_factory=Mode)
    demand_mw: dict[str, int] = field(default_factory=dict)
    drawn: dict[str, Drawn] = field(default_factory=dict)
    debts: dict[SessionKey, list[str]] = field(default_factory=dict)
    unreachable: set[str] = field(default_factory=set)
    leaving: bool = False
    _roots: dict[SessionKey, frozenset[str]] = field(default_factory=dict)
    _places: dict[LocationKey, set[str]] = field(default_factory=dict)

    def tree(self, root: str) -> Tree:
        """The tree of that root; made when it is not there yet."""
        known = self.trees.get(root)
        if known is None:
            known = self.trees[root] = Tree(Board())
            for cpo in self.unreachable:
                known.board.offline(cpo)
        return known

    def row(self, key: SessionKey) -> tuple[str, Board, Row] | None:
        """The tree a session's row is on, its board and the row."""
        for root in (*self._roots.get(key, ()), NOWHERE, *self.trees):
            if root in self.trees and (row := self.trees[root].board.state.rows.get(key)) is not None:
                return root, self.trees[root].board, row
        return None

    def trees_of(self, cpo: str) -> set[str]:
        """The trees with sessions of a CPO, by their roots."""
        return {
            root
            for root, tree in self.trees.items()
            if any(row.session.cpo == cpo for row in tree.board.state.rows.values())
        }

    def trees_at(self, party: PartyId, location_id: str) -> set[str]:
        """The trees that have something at a location, by their roots."""
        return self._places.get(location_key(party, location_id), set())

    def group_of(self, session: Session, now: datetime) -> Group | None:
        """The group a session stands in, ended or not; None when its EVSE is in none."""
        if session.location_id is None or location_key(session.owner, session.location_id) not in self._places:
            return None
        return self.model.group_of(Member(session.owner, session.location_id, session.evse_uid), now)

    def place(self, key: SessionKey, session: Session, now: datetime) -> frozenset[str]:
        """Notes in which tree the session stands now; the trees to plan again, the one it left among them."""
        roots = frozenset[str]() if session.ended else self._stands(session, now)
        before = self._roots.pop(key, frozenset())
        if roots:
            self._roots[key] = roots
        for root in before - roots:
            if root in self.trees:
                self.trees[root].sessions.pop(key, None)
        for root in roots:
            self.tree(root).sessions[key] = session
        return roots | {root for root in before if root in self.trees}

    def _stands(self, session: Session, now: datetime) -> frozenset[str]:
        if session.location_id is None:
            return frozenset()
        roots = self._places.get(location_key(session.owner, session.location_id))
        if roots is None:  # most sessions of a hub are at locations that no group knows
            return frozenset()
        group = self.group_of(session, now)
        return frozenset(roots) if group is None else frozenset({self.model.root(group.id)})

    def place_all(self, now: datetime) -> None:
        """The same for every session, after the grid has changed."""
        self._roots.clear()
        self._places.clear()
        for group in self.model.groups.values():
            for member in group.members:
                at = location_key(member.party, member.location_id)
                self._places.setdefault(at, set()).add(self.model.root(group.id))
        for tree in self.trees.values():
            tree.sessions.clear()
        for key, session in self.known.sessions.running():
            self.place(key, session, now)

    def regroup(self, model: GridModel, now: datetime) -> None:
        """Another grid: what was said about groups that stay is kept, and rows move to the boards of their trees."""
        before, self.model = self.model, model
        kept = self.capacities
        self.capacities = {}
        for group in model.groups.values():
            if group.id in kept:
                self.capacities[group.id] = kept[group.id].under(group, before.groups[group.id], now)
            else:
                made = Capacity.unknown(group, now)
                standing = replace(made.standing, stopped=self.mode.stopped)
                self.capacities[group.id] = replace(made, standing=standing)
        self.place_all(now)
        self.settle_rows(now)

    def settle_rows(self, now: datetime) -> None:
        """Every row to the board of its tree. Where two boards have one, as after a crash between two saves, the newer
        one counts.
        """
        roots = {ids[0] for ids in self.model.trees()}
        rows = [(root, key) for root, tree in self.trees.items() for key in tree.board.state.rows]
        for root, key in rows:
            session = self.known.sessions.find(SessionKey(key))
            stands = self._stands(session, now) if session is not None else frozenset[str]()
            if root in stands or (root == NOWHERE and not stands):
                continue
            new = next(iter(stands), NOWHERE)
            row = self.trees[root].board.state.rows.pop(key)
            board = self.tree(new).board
            there = board.state.rows.get(key)
            if there is not None and there.seq >= row.seq:
                continue
            if new == NOWHERE:
                row.session = replace(row.session, path=())
            board.state.rows[key] = row
            if new == NOWHERE:
                board.release(key)
        for root in [root for root in self.trees if root not in roots and root != NOWHERE]:
            del self.trees[root]
        for root in roots:
            self.tree(root).plan = None

    def rows(self) -> Iterator[Row]:
        """The rows of every board."""
        for tree in self.trees.values():
            yield from tree.board.state.rows.values()
