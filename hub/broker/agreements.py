"""What an operator does to agreements: put, remove, list, and ask what they come to (R-070, ruling 19)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from hub.broker.liveness import LivenessBoard
from hub.broker.refusal import Refusal, RefusalKind
from hub.broker.registry import RegistryKeeper
from hub.domain.agreements import Agreement, Side
from hub.domain.decisions import Choices
from hub.domain.explaining import Explanation, Question, explain
from hub.ocpi.names import CONFIGURATION_MODULES, FUNCTIONAL_MODULES, Interface, Role
from hub.ocpi.party_id import well_formed

log = structlog.get_logger("hub.agreements")

ANY = "*"
LONGEST_ID = 64
MOST_MODULES = 100
# Every agreement is looked at for every pair of parties that is new.
MOST_AGREEMENTS = 10_000

_ID = re.compile(rf"[A-Za-z0-9._-]{{1,{LONGEST_ID}}}")
# A custom module is named with the party it comes from in front, such as nltnm-tokens.
_CUSTOM = re.compile(r"(?=.{3,64}$)[A-Za-z0-9._]+(?:-[A-Za-z0-9._]+)+", re.ASCII)
_ROLES = ", ".join(Role)


@dataclass(frozen=True, slots=True)
class SideGiven:
    """One side of an agreement as it is written: `*` and a member that is left out mean any."""

    country_code: str | None = None
    party_id: str | None = None
    role: str | None = None

    @property
    def names_nobody(self) -> bool:
        return self.country_code is None and self.party_id is None and self.role is None


@dataclass(frozen=True, slots=True)
class Terms:
    """What an agreement is to say; `modules` are ids, or `*` alone for all."""

    origin: SideGiven
    target: SideGiven
    modules: Sequence[str]
    allow: bool


@dataclass(frozen=True, slots=True)
class Put:
    """An agreement that is in force now; `new`: there was none with its id."""

    agreement: Agreement
    new: bool


class AgreementOperations:
    """The operator's calls about agreements."""

    def __init__(self, registry: RegistryKeeper, liveness: LivenessBoard, choices: Choices) -> None:
        self._registry = registry
        self._liveness = liveness
        self._choices = choices

    @property
    def every(self) -> list[Agreement]:
        """All agreements, by id."""
        return sorted(self._registry.snapshot.agreements.every, key=lambda agreement: agreement.id)

    def get(self, agreement_id: str) -> Agreement | Refusal:
        for agreement in self._registry.snapshot.agreements.every:
            if agreement.id == agreement_id:
                return agreement
        return _unknown(agreement_id)

    async def put(self, agreement_id: str, terms: Terms) -> Put | Refusal:
        """Puts an agreement in force, in place of one with the same id."""
        agreement = self._agreement(agreement_id, terms)
        if isinstance(agreement, Refusal):
            return agreement
        known = self._registry.snapshot.agreements.every
        if len(known) >= MOST_AGREEMENTS and all(one.id != agreement_id for one in known):
            return Refusal(RefusalKind.CONFLICT, f"There are {MOST_AGREEMENTS} agreements already; use roles and *")
        new = await self._registry.put_agreement(agreement)
        log.info("agreement put", agreement=agreement_id, new=new, said=described(agreement))
        return Put(agreement, new)

    async def remove(self, agreement_id: str) -> Agreement | Refusal:
        """Ends an agreement; what it said."""
        known = self.get(agreement_id)
        if isinstance(known, Refusal):
            return known
        if not await self._registry.remove_agreement(agreement_id):
            return _unknown(agreement_id)
        log.info("agreement removed", agreement=agreement_id)
        return known

    def explain(self, question: Question) -> Explanation:
        """What the hub would do now."""
        return explain(self._registry.snapshot, self._choices, self._liveness.offline, question)

    def _agreement(self, agreement_id: str, terms: Terms) -> Agreement | Refusal:
        if not _ID.fullmatch(agreement_id):
            title = f"An agreement's id has 1 to {LONGEST_ID} letters, digits, dots, dashes and underscores"
            return Refusal(RefusalKind.INVALID, title, pointer="")
        sides = []
        for given, pointer in ((terms.origin, "/from"), (terms.target, "/to")):
            side = _side(given, pointer)
            if isinstance(side, Refusal):
                return side
            sides.append(side)
        modules = self._modules(terms.modules)
        if isinstance(modules, Refusal):
            return modules
        return Agreement(agreement_id, sides[0], sides[1], modules or None, terms.allow)

    def _modules(self, modules: Sequence[str]) -> frozenset[str] | Refusal:
        """The modules; none of them stands for all."""
        if ANY in modules:
            if len(modules) == 1:
                return frozenset()
            return _invalid(f'"{ANY}" means all modules and stands alone', "/modules")
        if not 1 <= len(modules) <= MOST_MODULES:
            return _invalid(f'Name 1 to {MOST_MODULES} modules, or ["{ANY}"] for all', "/modules")
        for position, module in enumerate(modules):
            problem = self._problem_with(module)
            if problem is not None:
                return _invalid(problem, f"/modules/{position}")
        return frozenset(modules)

    def _problem_with(self, module: str) -> str | None:
        if module in FUNCTIONAL_MODULES:
            return None
        if module in CONFIGURATION_MODULES:
            return f"{module} is spoken with the hub itself, so there is nothing to agree on"
        offered = any(self._registry.snapshot.is_offered(module, interface) for interface in Interface)
        if offered or _CUSTOM.fullmatch(module):
            return None
        known = ", ".join(sorted(FUNCTIONAL_MODULES))
        return f"A module is one of {known}, or a custom one with a party in front, such as nltnm-tokens"


def described(agreement: Agreement) -> str:
    """An agreement in words."""
    modules = "everything" if agreement.modules is None else ", ".join(sorted(agreement.modules))
    word = "may" if agreement.allow else "may not"
    return f"{_words(agreement.origin)} {word} turn to {_words(agreement.target)} about {modules}"


def _words(side: Side) -> str:
    if side == Side():
        return "anybody"
    party = f"{side.country_code or ANY}/{side.party_id or ANY}"
    if side.role is None:
        return party
    return f"any {side.role.value}" if party == f"{ANY}/{ANY}" else f"{side.role.value} {party}"


def _side(given: SideGiven, pointer: str) -> Side | Refusal:
    if given.names_nobody:
        title = f'{pointer.removeprefix("/")} names nobody: write "{ANY}" where you mean any'
        return Refusal(RefusalKind.EMPTY, title, pointer=pointer)
    country_code, party_id, role = (
        None if member == ANY else member for member in (given.country_code, given.party_id, given.role)
    )
    if country_code is not None and not well_formed(country_code, "HUB"):
        return _invalid(f'A country code has two letters, or is "{ANY}"', f"{pointer}/country_code")
    if party_id is not None and not well_formed("NL", party_id):
        return _invalid(f'A party id has one to three letters or digits, or is "{ANY}"', f"{pointer}/party_id")
    if role is not None and role.upper() not in tuple(Role):
        return _invalid(f'A role is one of {_ROLES}, or "{ANY}"', f"{pointer}/role")
    return Side(country_code, party_id, None if role is None else Role(role.upper()))


def _invalid(title: str, pointer: str) -> Refusal:
    return Refusal(RefusalKind.INVALID, title, pointer=pointer)


def _unknown(agreement_id: str) -> Refusal:
    return Refusal(RefusalKind.UNKNOWN, f"There is no agreement {agreement_id[:LONGEST_ID]}")
