"""Records kept beside platforms: callbacks of asynchronous results and CDR locations."""

from dataclasses import dataclass
from datetime import datetime

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
