"""HubClientInfo: the list of parties and their connection status for one platform (R-192 to R-199)."""

from datetime import datetime
from typing import Any

from hub.broker.answer import Answers
from hub.broker.exchange import Caller, HubAnswer
from hub.broker.identity import HubIdentity
from hub.broker.liveness import LivenessBoard
from hub.broker.registry import RegistryKeeper
from hub.domain.platform import Platform
from hub.ocpi import headers, names, paging, times, urls
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode

_Row = tuple[PartyId, Role, ConnectionStatus, datetime]
_PAGE_MEMBERS = frozenset({"offset", "limit"})


class ClientInfo:
    """Serves the SENDER interface of hubclientinfo."""

    def __init__(
        self, registry: RegistryKeeper, liveness: LivenessBoard, identity: HubIdentity, answers: Answers
    ) -> None:
        self._registry = registry
        self._liveness = liveness
        self._identity = identity
        self._answers = answers

    def page(self, caller: Caller, version: str, query: str) -> HubAnswer:
        """One page of every other platform's parties, in the order in which platforms were first known."""
        page = paging.read_page(query)
        if isinstance(page, str):
            return self._answers.plain(200, StatusCode.INVALID_PARAMETERS, page)
        rows = [
            row
            for platform in self._registry.snapshot.platforms
            if platform.id != caller.platform.id
            for row in self._rows(platform)
            if page.includes(row[3])
        ]
        shown = rows[page.offset : page.offset + page.limit]
        found = {headers.TOTAL_COUNT: str(len(rows)), headers.LIMIT: str(paging.MAX_LIMIT)}
        following = page.offset + len(shown)
        if shown and following < len(rows):
            base = self._identity.module_url(version, names.HUB_CLIENT_INFO, Interface.SENDER)
            kept = urls.without_members(query, _PAGE_MEMBERS)
            wanted = "&".join(part for part in (kept, f"offset={following}", f"limit={page.limit}") if part)
            found[headers.LINK] = paging.render_next(f"{base}?{wanted}")
        return self._answers.data([_rendered(row) for row in shown], found)

    def _rows(self, platform: Platform) -> list[_Row]:
        """Hosted parties, and those reserved for a platform that has not registered yet as PLANNED."""
        rows: list[_Row] = []
        for role in platform.roles:
            status = self._liveness.status(platform, role)
            rows.append((role.party, role.role, status, max(role.updated_at, platform.status_changed_at)))
        if platform.status is ConnectionStatus.PLANNED:
            hosted = {role.key for role in platform.roles}
            rows += [
                (name.party, name.role, ConnectionStatus.PLANNED, platform.status_changed_at)
                for name in platform.approved
                if name.key not in hosted
            ]
        return rows


def _rendered(row: _Row) -> dict[str, Any]:
    party, role, status, last_updated = row
    return {
        "party_id": party.party_id,
        "country_code": party.country_code,
        "role": role.value,
        "status": status.value,
        "last_updated": times.render(last_updated),
    }
