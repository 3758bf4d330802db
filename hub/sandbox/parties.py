"""Parties and roles as callers of the sandbox write them: a `PartyId` or the text `NL/ABC`."""

from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId, parse_party

PartyLike = PartyId | str
RoleLike = tuple[Role, str, str]


def as_party(value: PartyLike) -> PartyId:
    """The party a caller means. Raises ValueError for a text that is not one."""
    if isinstance(value, PartyId):
        return value
    found = parse_party(value)
    if found is None:
        raise ValueError(f"{value!r} is not a party: write country code and party id like NL/ABC")
    return found


def maybe_party(value: PartyLike | None) -> PartyId | None:
    """Like `as_party`, and None stays None: the header pair is left out."""
    return None if value is None else as_party(value)
