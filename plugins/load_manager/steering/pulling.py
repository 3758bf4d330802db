"""Asking CPOs for their sessions: what changed since they were last heard of, page by page."""

from collections.abc import Callable
from datetime import datetime

from hub.ocpi import times
from hub.ocpi.names import SESSIONS, Interface
from hub.ocpi.party_id import PartyId
from hub.plugin import HubApi, NotAllowed, StoreUnavailable
from plugins.load_manager.steering.facts import JsonObject

PAGE = 100
MOST_PAGES = 1000


async def pull(
    hub: HubApi, party: PartyId, cpo: PartyId, date_from: datetime, tell: Callable[[JsonObject], None]
) -> bool:
    """Tells every session of the CPO that changed since; whether the list came to its end."""
    offset = 0
    for _ in range(MOST_PAGES):
        query = f"date_from={times.render(date_from)}&offset={offset}&limit={PAGE}"
        try:
            answer = await hub.send(cpo, SESSIONS, Interface.SENDER, "GET", query=query, as_party=party)
            page = answer.read() if answer.ok else None
        except (StoreUnavailable, NotAllowed, ValueError):
            return False
        if not isinstance(page, list):
            return False
        for session in page:
            if isinstance(session, dict):
                tell(session)
        offset += len(page)
        total = answer.headers.get("X-Total-Count") or answer.headers.get("x-total-count")
        if not page or (len(page) < PAGE and total is None) or (total is not None and total == str(offset)):
            return True
    return False
