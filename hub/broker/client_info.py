"""HubClientInfo: what every other platform is told about a party, as a list to fetch (R-192 to R-199)."""

from dataclasses import dataclass
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
from hub.ocpi.party_id import PartyId, role_key
from hub.ocpi.status import StatusCode

_PAGE_MEMBERS = frozenset({"offset", "limit"})


@dataclass(frozen=True, slots=True)
class ClientInfo:
    """One party in one role, hosted by the platform `host`. A party with two roles has two, at one URL (R-197)."""

    host: str
    party: PartyId
    role: Role
    status: ConnectionStatus
    last_updated: datetime

    @property
    def key(self) -> str:
        return role_key(self.role, self.party)

    def rendered(self) -> dict[str, Any]:
        """The OCPI object, with all five fields always."""
        return {
            "party_id": self.party.party_id,
            "country_code": self.party.country_code,
            "role": self.role.value,
            "status": self.status.value,
            "last_updated": times.render(self.last_updated),
        }


class ClientInfos:
    """The client info of every party, as registry and liveness know it now."""

    def __init__(self, registry: RegistryKeeper, liveness: LivenessBoard) -> None:
        self._registry = registry
        self._liveness = liveness

    def every(self) -> list[ClientInfo]:
        """All of them, in the order in which platforms were first known."""
        return [info for platform in self._registry.snapshot.platforms for info in self.of(platform)]

    def of(self, platform: Platform) -> list[ClientInfo]:
        """A platform's hosted parties, and those reserved for it before it has registered, as PLANNED."""
        changed_at = self._liveness.changed_at(platform)
        infos = [
            ClientInfo(
                platform.id,
                role.party,
                role.role,
                self._liveness.status(platform, role),
                max(role.updated_at, changed_at),
            )
            for role in platform.roles
        ]
        if platform.status is ConnectionStatus.PLANNED:
            hosted = {role.key for role in platform.roles}
            infos += [
                ClientInfo(platform.id, name.party, name.role, ConnectionStatus.PLANNED, changed_at)
                for name in platform.approved
                if name.key not in hosted
            ]
        return infos


class ClientInfoList:
    """Serves the SENDER interface of hubclientinfo."""

    def __init__(self, infos: ClientInfos, identity: HubIdentity, answers: Answers) -> None:
        self._infos = infos
        self._identity = identity
        self._answers = answers

    def page(self, caller: Caller, version: str, query: str) -> HubAnswer:
        """One page of every other platform's parties; a platform's own are left out (R-198)."""
        page = paging.read_page(query)
        if isinstance(page, str):
            return self._answers.plain(200, StatusCode.INVALID_PARAMETERS, page)
        others = [info for info in self._infos.every() if info.host != caller.platform.id]
        infos = [info for info in others if page.includes(info.last_updated)]
        shown = infos[page.offset : page.offset + page.limit]
        found = {headers.TOTAL_COUNT: str(len(infos)), headers.LIMIT: str(paging.MAX_LIMIT)}
        following = page.offset + len(shown)
        if shown and following < len(infos):
            base = self._identity.module_url(version, names.HUB_CLIENT_INFO, Interface.SENDER)
            kept = urls.without_members(query, _PAGE_MEMBERS)
            wanted = "&".join(part for part in (kept, f"offset={following}", f"limit={page.limit}") if part)
            found[headers.LINK] = paging.render_next(f"{base}?{wanted}")
        return self._answers.data([info.rendered() for info in shown], found)
