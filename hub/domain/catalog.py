"""What the hub holds because it was meant for everybody: which object a push is about, and what can become of it
(R-079, R-080, rulings 11 and 13). The rules are in `hub.domain.pushes`.
"""

from dataclasses import dataclass
from datetime import datetime

from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """One object of the catalog. `object_id` is as spelled; `kind` is the type of a token, upper case, else empty."""

    module: str
    owner: PartyId
    object_id: str
    kind: str = ""

    @property
    def text(self) -> str:
        """Equal for the same object in any spelling (R-109)."""
        return f"{self.module}/{self.owner.key}/{self.object_id.casefold()}/{self.kind.casefold()}"


@dataclass(frozen=True, slots=True)
class Push:
    """A PUT, PATCH or DELETE of an object, or of a part of it: `parts` are an EVSE uid and a connector id, or none."""

    method: str
    key: ObjectKey
    parts: tuple[str, ...]
    body: bytes | None

    @property
    def address(self) -> tuple[str, ...]:
        """Equal for pushes to the same object or part in any spelling; that of a part begins with its whole's."""
        return (self.key.text, *(part.casefold() for part in self.parts))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a push: the answer (`http`, `code`, `message`), and what to do with the catalog.

    `raw` is the object's text from now on, None to leave it; `removed`: forget the object. `fan_out`: others are told.
    `stale`: it was older than what is held, and nothing comes of it but the answer.
    """

    http: int
    code: StatusCode
    message: str | None = None
    raw: bytes | None = None
    last_updated: datetime | None = None
    removed: bool = False
    fan_out: bool = False
    stale: bool = False
