"""How a simulated platform behaves where OCPI leaves room, and where real platforms differ from it."""

from dataclasses import dataclass, field
from enum import StrEnum

from hub.ocpi.token import TokenEncoding
from hub.sandbox.endpoints import VERSION


class LinkStyle(StrEnum):
    """How the `Link` of a next page is written."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    CURSOR = "cursor"  # absolute, with an opaque cursor instead of offset, limit and filters


class CdrLocation(StrEnum):
    """How the `Location` of an accepted CDR is written."""

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    ABSENT = "absent"


class RoutingAnswer(StrEnum):
    """What the routing headers of an answer look like."""

    SWAPPED = "swapped"  # as OCPI says
    AS_RECEIVED = "as received"
    ABSENT = "absent"


class Listing(StrEnum):
    """What a list of own objects is like, page by page. All but the first are mistakes of real platforms."""

    SOUND = "sound"
    TRUNCATED = "truncated"  # half of the first page and no Link; X-Total-Count still counts all
    LOOPING = "looping"  # the Link of the last page leads back to the first
    ENDLESS = "endless"  # there is always one more page, an empty one when nothing is left
    GARBAGE = "garbage"  # among the objects of a page are some that are none


@dataclass
class Habits:
    """Settings of one platform; every one may be changed while it runs.

    `accepts` None takes tokens in both encodings. `call_timeout_s` bounds each outgoing request as a whole, `max_body`
    (bytes) each body in either direction.
    """

    sends: TokenEncoding = TokenEncoding.BASE64
    accepts: TokenEncoding | None = None
    versions: tuple[str, ...] = field(default=(VERSION,))
    echo_ids: bool = True
    routing: RoutingAnswer = RoutingAnswer.SWAPPED
    checks_to: bool = True  # a TO party that is not hosted or reported here is answered 2001
    checks_from: bool = False  # a push whose FROM is not the owner in its path is answered 2001 (T-24)
    link_style: LinkStyle = LinkStyle.ABSOLUTE
    page_limit: int = 50
    listing: Listing = Listing.SOUND
    says_total: bool = True  # whether lists have X-Total-Count and X-Limit (T-43)
    cdr_location: CdrLocation = CdrLocation.ABSOLUTE
    authorize: str = "ALLOWED"
    authorize_needs_location: bool = False  # without LocationReferences the answer is 2002
    charging_preferences: str = "ACCEPTED"
    call_timeout_s: float = 30.0
    max_body: int = 64 * 1024 * 1024
