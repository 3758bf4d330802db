"""Who may know of whom, for as many parties as a hub has: the agreements' own decision, taken once per kind of party.

Parties that the same sides of agreements fit are of one kind: agreements treat them alike. There are far fewer kinds
than parties, and most pairs of kinds no agreement is about.
"""

from hub.domain.agreements import Agreements, Side
from hub.ocpi.names import FUNCTIONAL_MODULES, Role
from hub.ocpi.party_id import PartyId

# Numbers of the sides that fit a party in a role, in rising order.
Kind = tuple[int, ...]

_MOST_KINDS = 50_000
_MOST_PAIRS = 100_000


class Acquaintance:
    """What `Agreements.acquainted` says, quickly (ruling 19)."""

    __slots__ = ("_kinds", "_known", "_modules", "_numbers", "_samples", "_sides", "agreements")

    def __init__(self, agreements: Agreements) -> None:
        self.agreements = agreements
        named = [one.modules for one in agreements.every if one.modules is not None]
        self._modules = FUNCTIONAL_MODULES.union(*named)
        self._numbers: dict[tuple[str | None, str | None, Role | None], int] = {}
        self._sides = {(self._number(one.origin), self._number(one.target)) for one in agreements.every}
        self._kinds: dict[tuple[str, Role], Kind] = {}
        self._samples: dict[Kind, tuple[PartyId, Role]] = {}
        self._known: dict[tuple[Kind, Kind], bool] = {}

    def _number(self, side: Side) -> int:
        country_code = None if side.country_code is None else side.country_code.casefold()
        party_id = None if side.party_id is None else side.party_id.casefold()
        return self._numbers.setdefault((country_code, party_id, side.role), len(self._numbers))

    @property
    def trivial(self) -> bool:
        """Whether the hub's default alone decides, so that everybody is of kind ()."""
        return not self._numbers

    def under(self, agreements: Agreements) -> "Acquaintance":
        """Itself if these are its own agreements, also when they were read again; else one for these."""
        mine = self.agreements
        if mine is not agreements and (mine.default_open, mine.every) != (agreements.default_open, agreements.every):
            return Acquaintance(agreements)
        self.agreements = agreements
        return self

    def differing(self, other: "Acquaintance") -> "Acquaintance":
        """For the agreements that only one of both has: parties of kind () are treated alike by both."""
        mine, theirs = self.agreements, other.agreements
        return Acquaintance(Agreements(set(mine.every) ^ set(theirs.every), default_open=mine.default_open))

    def kind(self, party: PartyId, role: Role) -> Kind:
        """Equal for parties that agreements treat alike."""
        if not self._numbers:
            return ()
        key = (party.key, role)
        kind = self._kinds.get(key)
        if kind is None:
            if len(self._kinds) >= _MOST_KINDS:
                self._kinds.clear()
            kind = self._kinds[key] = self._kind(party, role)
            self._samples.setdefault(kind, (party, role))
        return kind

    def _kind(self, party: PartyId, role: Role) -> Kind:
        country_code, party_id = party.country_code.casefold(), party.party_id.casefold()
        fitting = (
            self._numbers.get((country, name, acting))
            for country in (None, country_code)
            for name in (None, party_id)
            for acting in (None, role)
        )
        return tuple(sorted(number for number in fitting if number is not None))

    def between(self, one: Kind, other: Kind) -> bool:
        """Whether parties of these kinds have at least one module in common. Both kinds come from `kind`."""
        if not self._numbers:
            return self.agreements.default_open
        pair = (one, other) if one <= other else (other, one)
        known = self._known.get(pair)
        if known is None:
            if len(self._known) >= _MOST_PAIRS:
                self._known.clear()
            known = self._known[pair] = self._decide(*pair)
        return known

    def _decide(self, one: Kind, other: Kind) -> bool:
        if not any((mine, theirs) in self._sides or (theirs, mine) in self._sides for mine in one for theirs in other):
            return self.agreements.default_open
        here, there = self._samples[one], self._samples[other]
        return any(
            self.agreements.ruling(here, there, module).allowed or self.agreements.ruling(there, here, module).allowed
            for module in self._modules
        )
