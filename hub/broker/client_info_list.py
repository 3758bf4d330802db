"""HubClientInfo as a list to fetch: its SENDER interface (R-194, R-198)."""

from hub.broker.answer import Answers
from hub.broker.client_info import ClientInfos
from hub.broker.client_info_sight import Sights
from hub.broker.exchange import Caller, HubAnswer
from hub.broker.identity import HubIdentity
from hub.ocpi import headers, names, paging, urls
from hub.ocpi.names import Interface
from hub.ocpi.status import StatusCode

_PAGE_MEMBERS = frozenset({"offset", "limit"})


class ClientInfoList:
    """Serves the SENDER interface of hubclientinfo."""

    def __init__(self, infos: ClientInfos, sights: Sights, identity: HubIdentity, answers: Answers) -> None:
        self._infos = infos
        self._sights = sights
        self._identity = identity
        self._answers = answers

    def page(self, caller: Caller, version: str, query: str) -> HubAnswer:
        """One page of the parties the caller may know; its own are left out (R-198)."""
        page = paging.read_page(query)
        if isinstance(page, str):
            return self._answers.plain(200, StatusCode.INVALID_PARAMETERS, page)
        sight = self._sights.of(caller.platform)
        infos = [info for info in self._infos.every() if sight.sees(info) and page.includes(info.last_updated)]
        shown = infos[page.offset : page.offset + page.limit]
        found = {headers.TOTAL_COUNT: str(len(infos)), headers.LIMIT: str(paging.MAX_LIMIT)}
        following = page.offset + len(shown)
        if shown and following < len(infos):
            base = self._identity.module_url(version, names.HUB_CLIENT_INFO, Interface.SENDER)
            kept = urls.without_members(query, _PAGE_MEMBERS)
            wanted = "&".join(part for part in (kept, f"offset={following}", f"limit={page.limit}") if part)
            found[headers.LINK] = paging.render_next(f"{base}?{wanted}")
        return self._answers.data([info.rendered() for info in shown], found)
