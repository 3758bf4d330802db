"""The identity of a party: country code and party id, compared without regard to case (R-058, R-109)."""

from dataclasses import dataclass, field
from functools import lru_cache

from hub.ocpi.names import Role


@dataclass(frozen=True, slots=True, eq=False)
class PartyId:
    """A country code and a party id in the spelling they were given; equal when they differ only in case."""

    country_code: str
    party_id: str
    key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", f"{self.country_code}*{self.party_id}".casefold())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PartyId) and other.key == self.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __str__(self) -> str:
        return f"{self.country_code}/{self.party_id}"


def party(country_code: str, party_id: str) -> PartyId:
    """The party of these texts. The same spelling gives the same object: every message names two of them."""
    # What is too long to be a party is not kept: a header may have thousands of characters.
    if len(country_code) > 2 or len(party_id) > 3:
        return PartyId(country_code, party_id)
    return _kept(country_code, party_id)


@lru_cache(maxsize=16_384)
def _kept(country_code: str, party_id: str) -> PartyId:
    return PartyId(country_code, party_id)


def role_key(role: Role, party: PartyId) -> str:
    """The text under which a (role, country, party) triple is unique across the hub (R-061), e.g. `CPO*nl*abc`."""
    return f"{role.value}*{party.key}"


def parse_party(text: str) -> PartyId | None:
    """Reads `NL/ABC` or `NL*ABC`; None when it is neither or a part has the wrong length."""
    for separator in ("/", "*"):
        country_code, found, party_id = text.partition(separator)
        if found:
            return PartyId(country_code, party_id) if well_formed(country_code, party_id) else None
    return None


def well_formed(country_code: str, party_id: str) -> bool:
    """Whether both parts have the lengths OCPI allows (CiString(2) and CiString(3)) and are printable ASCII."""
    return (
        len(country_code) == 2
        and country_code.isascii()
        and country_code.isalpha()
        and 1 <= len(party_id) <= 3
        and party_id.isascii()
        and party_id.isalnum()
    )
