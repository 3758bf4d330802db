"""Records kept beside platforms: callbacks, CDR locations, catalog, broadcasts, pulls, what open routing knows, and
what plugins remember.
"""

from dataclasses import dataclass
from datetime import datetime

from hub.domain.pulling import PullState as PullState  # noqa: PLC0414 - a record like these
from hub.ocpi.party_id import PartyId


@dataclass(frozen=True, slots=True)
class PartyOn:
    """A party on a platform, as a record refers to it."""

    platform_id: str
    country_code: str
    party_id: str

    @property
    def party(self) -> PartyId:
        return PartyId(self.country_code, self.party_id)


@dataclass(frozen=True, slots=True)
class Callback:
    """The way home of an asynchronous result: usable many times until it expires (R-120, R-123).

    `operation` is the command type, or GET, PUT or DELETE of a charging profile. `correlation_id` is the request's.
    """

    id: str
    issuer: PartyOn
    receiver: PartyOn
    module: str
    operation: str
    response_url: str
    correlation_id: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CdrLocation:
    """Where a CDR that went through the hub lives; kept for ever (R-137). `poster` is the CPO, `holder` the eMSP."""

    id: str
    poster: PartyOn
    holder: PartyOn
    url: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OwnerCount:
    """How many objects of a module an owner has in the catalog; `shown` is False while its first crawl runs."""

    owner: PartyId
    count: int
    shown: bool


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One object of the catalog. `sequence` grows with first sight and never changes (R-090); `raw` is its text."""

    sequence: int
    module: str
    owner: PartyId
    object_id: str
    kind: str
    last_updated: datetime
    seen_at: datetime
    raw: bytes


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A push for everybody and its legs: one per receiving party. The body is kept beside it, once for all legs.

    `object_key` is the text of the object's key, `parts` the addressed parts of it; `tail` and `query` are raw text.
    """

    platform_id: str
    sender: PartyId
    version: str
    module: str
    method: str
    tail: str
    query: str
    object_key: str
    parts: tuple[str, ...]
    correlation_id: str
    created_at: datetime
    legs: tuple[PartyOn, ...]


@dataclass(frozen=True, slots=True)
class LegClaim:
    """The leg number `leg` of the broadcast `order`, about to be attempted for the `attempt`th time (1 or 2)."""

    order: int
    leg: int
    attempt: int


@dataclass(frozen=True, slots=True)
class UnfinishedBroadcast:
    """A broadcast with legs that were not settled. `attempts` has a number per leg: attempts begun, None if settled."""

    order: int
    broadcast: Broadcast
    body: bytes | None
    attempts: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """One thing open routing has learnt: `party` is who `key` leads to (R-084). `kind` says what the key is.

    `only`: it replaces what was known under the key, instead of standing beside it.
    """

    kind: str
    key: str
    party: PartyId
    only: bool = False


@dataclass(frozen=True, slots=True)
class Shelved:
    """A value a plugin keeps under a key. `revision` is 1 for the first save, one more with each."""

    key: str
    value: bytes
    revision: int


@dataclass(frozen=True, slots=True)
class Put:
    """A value to keep under a key; None removes what is there.

    `revision`: save only over this one; 0: only if there is nothing; None: over whatever is there.
    """

    key: str
    value: bytes | None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Fence:
    """A save with it stands only if the duty is still in this term."""

    duty: str
    term: int


@dataclass(frozen=True, slots=True)
class NewRecord:
    """One thing a plugin writes down. `body` is JSON text, kept as given; `keys` are (name, value) pairs it can be
    found by, of which a name may repeat.
    """

    at: datetime
    body: bytes
    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PluginRecord:
    """A record as it is kept. `id` grows in the order of appending; between nodes that is roughly by time."""

    id: int
    at: datetime
    body: bytes
    keys: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DutyState:
    """Who has a job that only one node may do. `term` grows whenever it is taken, `beat` whenever it is renewed."""

    name: str
    holder: str | None
    term: int
    beat: int
