"""Agreements once more, as their rules say and without an order of strength: look at all that fit, keep those that name
most, and one of them that forbids is enough (R-070, ruling 19)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hub.domain.agreements import Agreement, Agreements, Side
from hub.ocpi.names import Role

FUNCTIONAL = ("cdrs", "chargingprofiles", "commands", "locations", "sessions", "tariffs", "tokens")

# A party as `nl/abc`, and the role it acts in.
Acting = tuple[str, Role]


@dataclass(frozen=True)
class Treaty:
    """The agreements of a hub and its default."""

    agreements: tuple[Agreement, ...] = ()
    default_open: bool = True

    def ready(self) -> Agreements:
        return Agreements(self.agreements, default_open=self.default_open)


def means(side: Side, party: str, role: Role) -> bool:
    country_code, party_id = party.split("/")
    wrong_country = side.country_code is not None and side.country_code.lower() != country_code
    wrong_party = side.party_id is not None and side.party_id.lower() != party_id
    wrong_role = side.role is not None and side.role is not role
    return not (wrong_country or wrong_party or wrong_role)


def names(agreement: Agreement) -> int:
    """How much it names: at most three members of either side, and the modules as one."""
    sides = [
        member
        for side in (agreement.origin, agreement.target)
        for member in (side.country_code, side.party_id, side.role)
    ]
    return len([named for named in (*sides, agreement.modules) if named is not None])


def deciding(agreements: Sequence[Agreement], origin: Acting, target: Acting, module: str) -> list[Agreement]:
    """Of the agreements that fit, those that name most."""
    fitting = [
        one
        for one in agreements
        if means(one.origin, *origin) and means(one.target, *target) and (one.modules is None or module in one.modules)
    ]
    return [one for one in fitting if names(one) == max(map(names, fitting))]


def allows(treaty: Treaty, origin: Acting, target: Acting, module: str) -> bool:
    found = deciding(treaty.agreements, origin, target, module)
    return all(one.allow for one in found) if found else treaty.default_open


def allows_any(treaty: Treaty, party: str, roles: Collection[Role], target: Acting, module: str) -> bool:
    """A party that acts in several roles may do what any of them may."""
    return any(allows(treaty, (party, role), target, module) for role in roles)


def know_each_other(treaty: Treaty, one: Acting, other: Acting) -> bool:
    """Some module is allowed, whoever starts."""
    modules = {*FUNCTIONAL, *(module for each in treaty.agreements for module in each.modules or ())}
    return any(allows(treaty, one, other, module) or allows(treaty, other, one, module) for module in modules)
