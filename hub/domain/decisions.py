"""What a functional request asks and what the hub makes of it, as values (the columns of matrix M)."""

from dataclasses import dataclass
from typing import NamedTuple

from hub.domain.platform import Platform
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode


class Request(NamedTuple):
    """What the headers and the path of a functional request say; equal requests mean the same in one snapshot.

    `owner` is the party in the path of a client-owned object; `custom` a module no version table knows (ruling 16).
    `method` and `is_list` count only when TO is the hub or absent.
    """

    platform_id: str
    to: PartyId | None
    sender: PartyId | None
    module: str
    interface: Interface
    owner: PartyId | None = None
    custom: bool = False
    method: str = ""
    is_list: bool = False


class Choices(NamedTuple):
    """The hub's own party, and what an operator chose about routing (appendix B)."""

    hub: PartyId
    # a list without TO is a GET ALL instead of an error (T-30)
    lenient_lists: bool = False
    # a broadcast also reaches other parties of the platform it comes from
    broadcast_own_platform: bool = False
    # a broadcast also reaches parties behind peer hubs, one push each
    broadcast_across_hubs: bool = False


@dataclass(frozen=True, slots=True)
class Direct:
    """Forward to one party: the registered spellings of both, the receiver's platform and its endpoint URL."""

    sender: PartyId
    receiver: PartyId
    platform: Platform
    endpoint: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A push for everybody: store, answer, and tell these receivers. The owner of the object is `owner`.

    `stored_only`: it came from a peer hub and is not told any further (R-208, T-26).
    """

    sender: PartyId
    owner: PartyId
    receivers: tuple[Direct, ...]
    stored_only: bool = False


@dataclass(frozen=True, slots=True)
class GetAll:
    """A list out of the catalog: objects of these owners (keys of parties) and of nobody else."""

    sender: PartyId
    owners: frozenset[str]


@dataclass(frozen=True, slots=True)
class HubCopy:
    """One object out of the catalog, if its owner is one of these."""

    sender: PartyId
    owners: frozenset[str]


@dataclass(frozen=True, slots=True)
class Open:
    """Nobody is named: whoever the content leads to is the receiver."""

    sender: PartyId


@dataclass(frozen=True, slots=True)
class Refused:
    """The hub answers itself: HTTP status, status code, and a sentence for the requester."""

    http: int
    code: StatusCode
    message: str


Decision = Direct | Broadcast | GetAll | HubCopy | Open | Refused


def not_connected(party: PartyId) -> Refused:
    """F4: nothing is sent to a party that is known to be away."""
    return Refused(200, StatusCode.CONNECTION_PROBLEM, f"{party} is not connected")


def nobody(why: str) -> Refused:
    """F1 to F3: there is no receiver."""
    return Refused(200, StatusCode.UNKNOWN_RECEIVER, why)


def invalid(why: str) -> Refused:
    return Refused(200, StatusCode.INVALID_PARAMETERS, why)
