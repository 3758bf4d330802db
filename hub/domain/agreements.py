"""Agreements: who may speak to whom about which module, as one pure decision for every routing mode (R-070, ruling 19).

Rules
- An agreement speaks about the party that starts an exchange (`origin`) and the one it is started with (`target`).
- Of the agreements that fit, the one that names most wins: members of both sides count one each, named modules one.
- Between two that name equally much, the one that forbids wins. When none fits, the hub's default holds.
- A party that acts in several roles may do what any of them may.
"""

from bisect import insort
from collections import Counter
from collections.abc import Collection, Iterable
from copy import copy
from dataclasses import dataclass

from hub.ocpi.names import FUNCTIONAL_MODULES, Role
from hub.ocpi.party_id import PartyId


@dataclass(frozen=True, slots=True)
class Side:
    """The parties one side of an agreement is about; a member that is None stands for any."""

    country_code: str | None = None
    party_id: str | None = None
    role: Role | None = None

    @property
    def weight(self) -> int:
        """How many members are named."""
        return (self.country_code is not None) + (self.party_id is not None) + (self.role is not None)

    def fits(self, party: PartyId, role: Role) -> bool:
        """Whether a party in one role is meant; country and party are compared without regard to case."""
        return (
            (self.role is None or self.role is role)
            and (self.country_code is None or self.country_code.casefold() == party.country_code.casefold())
            and (self.party_id is None or self.party_id.casefold() == party.party_id.casefold())
        )


@dataclass(frozen=True, slots=True)
class Agreement:
    """Allows or forbids the parties of `origin` to start exchanges about `modules` (None: all) with those of
    `target`.
    """

    id: str
    origin: Side
    target: Side
    modules: frozenset[str] | None
    allow: bool

    @property
    def weight(self) -> int:
        """The more it names, the more it counts."""
        return self.origin.weight + self.target.weight + (self.modules is not None)

    def fits(self, origin: tuple[PartyId, Role], target: tuple[PartyId, Role], module: str) -> bool:
        return (
            (self.modules is None or module in self.modules) and self.origin.fits(*origin) and self.target.fits(*target)
        )


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether an exchange may start, and by which agreement; None: by the hub's default."""

    allowed: bool
    agreement: Agreement | None


# A side as it is looked up: country code and party id in lower case, and the role; None for any.
_SideKey = tuple[str | None, str | None, Role | None]
_MOST_REMEMBERED = 20_000
# Up to this part of all agreements, changing them one by one is quicker than sorting them again.
_FEW = 0.05


class Agreements:
    """All agreements of the hub and its default, ready to be asked. However many there are, one question looks at the
    few whose sides can fit.
    """

    __slots__ = ("_asked", "_by_sides", "_by_weight", "_fitting", "_origins", "_targets", "default_open")

    def __init__(self, agreements: Iterable[Agreement] = (), *, default_open: bool = True) -> None:
        self.default_open = default_open
        # The first that fits decides.
        self._by_weight = sorted(agreements, key=_strength)
        self._by_sides: dict[tuple[_SideKey, _SideKey], list[Agreement]] = {}
        for agreement in self._by_weight:
            self._by_sides.setdefault(_sides(agreement), []).append(agreement)
        # How many pairs of sides have this one.
        self._origins = Counter(origin for origin, _ in self._by_sides)
        self._targets = Counter(target for _, target in self._by_sides)
        self._forget()

    def _forget(self) -> None:
        self._fitting: dict[tuple[str, Role], tuple[tuple[_SideKey, ...], tuple[_SideKey, ...]]] = {}
        self._asked: frozenset[str] | None = None

    def changed(self, put: Iterable[Agreement] = (), gone: Collection[str] = ()) -> "Agreements":
        """Others in which these stand, each in place of the one with its id if there is one, and those of the ids
        `gone` do not; itself when that changes nothing.
        """
        new = {agreement.id: agreement for agreement in put}
        ids = {*new, *gone}
        old = [agreement for agreement in self._by_weight if agreement.id in ids]
        if not new and not old:
            return self
        kept = [agreement for agreement in self._by_weight if agreement.id not in ids]
        if len(old) + len(new) > _FEW * len(kept):
            return Agreements((*kept, *new.values()), default_open=self.default_open)
        other = copy(self)
        other._by_weight, other._by_sides = kept, dict(self._by_sides)
        other._origins, other._targets = self._origins.copy(), self._targets.copy()
        other._forget()
        for agreement in old:
            other._take_out(agreement)
        for agreement in new.values():
            other._put_in(agreement)
        return other

    def _take_out(self, agreement: Agreement) -> None:
        sides = _sides(agreement)
        left = [one for one in self._by_sides[sides] if one is not agreement]
        if left:
            self._by_sides[sides] = left
            return
        del self._by_sides[sides]
        for counted, side in zip((self._origins, self._targets), sides, strict=True):
            counted[side] -= 1
            if not counted[side]:
                del counted[side]

    def _put_in(self, agreement: Agreement) -> None:
        insort(self._by_weight, agreement, key=_strength)
        sides = _sides(agreement)
        if sides not in self._by_sides:
            self._origins[sides[0]] += 1
            self._targets[sides[1]] += 1
        self._by_sides[sides] = sorted((*self._by_sides.get(sides, ()), agreement), key=_strength)

    def reread(self, agreements: Collection[Agreement]) -> "Agreements":
        """Agreements of exactly these, under the same default; itself when they are its own."""
        mine = {agreement.id: agreement for agreement in self._by_weight}
        put = [agreement for agreement in agreements if mine.get(agreement.id) != agreement]
        return self.changed(put, mine.keys() - {agreement.id for agreement in agreements})

    @property
    def every(self) -> tuple[Agreement, ...]:
        """All agreements, the strongest first."""
        return tuple(self._by_weight)

    def ruling(self, origin: tuple[PartyId, Role], target: tuple[PartyId, Role], module: str) -> Ruling:
        """May this party, in this role, start an exchange about the module with that one."""
        strongest: Agreement | None = None
        for origin_key in self._sides_of(*origin)[0]:
            for target_key in self._sides_of(*target)[1]:
                for agreement in self._by_sides.get((origin_key, target_key), ()):
                    if agreement.modules is None or module in agreement.modules:
                        if strongest is None or _strength(agreement) < _strength(strongest):
                            strongest = agreement
                        break
        return Ruling(self.default_open, None) if strongest is None else Ruling(strongest.allow, strongest)

    def _sides_of(self, party: PartyId, role: Role) -> tuple[tuple[_SideKey, ...], tuple[_SideKey, ...]]:
        """The sides that fit a party in a role, among those that any agreement has as origin, and as target."""
        known = self._fitting.get((party.key, role))
        if known is None:
            if len(self._fitting) >= _MOST_REMEMBERED:
                self._fitting.clear()
            keys = [
                (country_code, party_id, acting)
                for country_code in (None, party.country_code.casefold())
                for party_id in (None, party.party_id.casefold())
                for acting in (None, role)
            ]
            known = (
                tuple(key for key in keys if key in self._origins),
                tuple(key for key in keys if key in self._targets),
            )
            self._fitting[party.key, role] = known
        return known

    def between(
        self, origin: PartyId, origin_roles: Collection[Role], target: tuple[PartyId, Role], module: str
    ) -> Ruling:
        """The same for a party that acts in any of these roles: the first ruling that allows, else the first."""
        if not self._by_weight:
            return Ruling(self.default_open, None)
        rulings = [self.ruling((origin, role), target, module) for role in sorted(origin_roles)]
        return next((ruling for ruling in rulings if ruling.allowed), rulings[0] if rulings else Ruling(False, None))

    def acquainted(self, one: tuple[PartyId, Role], other: tuple[PartyId, Role]) -> bool:
        """Whether at least one module is allowed between two parties, whoever starts: then they may know each other."""
        if not self._by_weight:
            return self.default_open
        return any(
            self.ruling(one, other, module).allowed or self.ruling(other, one, module).allowed
            for module in self._modules_asked
        )

    @property
    def _modules_asked(self) -> frozenset[str]:
        """Functional modules, and others that agreements name."""
        if self._asked is None:
            named = {agreement.modules for agreement in self._by_weight if agreement.modules is not None}
            self._asked = FUNCTIONAL_MODULES.union(*named)
        return self._asked


def _sides(agreement: Agreement) -> tuple[_SideKey, _SideKey]:
    return _side_key(agreement.origin), _side_key(agreement.target)


def _side_key(side: Side) -> _SideKey:
    country_code = None if side.country_code is None else side.country_code.casefold()
    party_id = None if side.party_id is None else side.party_id.casefold()
    return country_code, party_id, side.role


def _strength(agreement: Agreement) -> tuple[int, bool, str]:
    """The smallest is the strongest."""
    return -agreement.weight, agreement.allow, agreement.id
