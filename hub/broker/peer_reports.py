"""HubClientInfo from a peer hub: the RECEIVER interface, for peer hubs alone (R-195, R-204, ruling 24).

Every answer waits until the report is stored. What arrives while one write is under way goes into the next, so that a
thousand parties that change at once cost a few writes.
"""

import asyncio
from urllib.parse import unquote

import structlog

from hub.broker.answer import Answers
from hub.broker.exchange import Caller, HubAnswer
from hub.broker.registry import RegistryKeeper
from hub.clock import Clock
from hub.domain.platform import Platform, ReportedParty
from hub.domain.reported import MAX_REPORTED, Fate, merged, reported_party
from hub.errors import StoreConflict, StoreUnavailable
from hub.ocpi import codec, configuration, times
from hub.ocpi.configuration import ClientInfo
from hub.ocpi.party_id import PartyId
from hub.ocpi.status import StatusCode

log = structlog.get_logger("hub.peers")

MAX_REPORT = 16 * 1024
_ALLOW = "GET, PUT"

_Waiting = tuple[ReportedParty, "asyncio.Future[Fate]"]


class PeerReports:
    """Serves reports. `hub` is our own party."""

    def __init__(self, registry: RegistryKeeper, answers: Answers, clock: Clock, hub: PartyId) -> None:
        self._registry = registry
        self._answers = answers
        self._clock = clock
        self._hub = hub
        self._waiting: dict[str, list[_Waiting]] = {}
        self._writing: set[str] = set()

    def refusal(self, caller: Caller, method: str, tail: str) -> HubAnswer | None:
        """Why nothing is served: to anybody but a peer hub the module is unknown."""
        if not caller.platform.is_peer:
            return self._answers.plain(404, StatusCode.CLIENT_ERROR, "This hub does not know this module")
        if _addressed(tail) is None:
            return self._answers.plain(404, StatusCode.CLIENT_ERROR, "There is nothing at this path of the module")
        if method not in ("GET", "PUT"):
            return self._answers.plain(405, StatusCode.CLIENT_ERROR, f"Use one of: {_ALLOW}", {"Allow": _ALLOW})
        return None

    def shown(self, caller: Caller, tail: str) -> HubAnswer:
        """What the peer reported about a party; of several roles the one that changed last."""
        party = _addressed(tail)
        found = [one for one in caller.platform.reported if one.party == party]
        if not found:
            return self._answers.plain(404, StatusCode.INVALID_PARAMETERS, "You have not reported this party")
        newest = max(found, key=lambda one: one.last_updated)
        return self._answers.data(
            {
                "party_id": newest.party_id,
                "country_code": newest.country_code,
                "role": newest.role.value,
                "status": newest.status.value,
                "last_updated": times.render(newest.last_updated),
            }
        )

    async def taken(self, caller: Caller, tail: str, body: bytes) -> HubAnswer:
        """A report: 201 for a party the peer had not reported, 200 for others, once it is stored."""
        if len(body) > MAX_REPORT:
            return self._answers.plain(413, StatusCode.CLIENT_ERROR, f"A report has at most {MAX_REPORT} bytes")
        try:
            given = codec.loads(body)
        except codec.NotJson as problem:
            return self._answers.plain(400, StatusCode.CLIENT_ERROR, f"The body is not JSON: {problem}")
        info = configuration.read(ClientInfo, given)
        report = info if isinstance(info, str) else reported_party(info, self._hub)
        if isinstance(report, str):
            return self._answers.plain(200, StatusCode.INVALID_PARAMETERS, report)
        if report.party != _addressed(tail):
            return self._answers.plain(
                200, StatusCode.INVALID_PARAMETERS, f"The body is about {report.party}, the path is not"
            )
        try:
            fate = await self._stored(caller.platform.id, report)
        except StoreUnavailable:
            return self._answers.plain(200, StatusCode.SERVER_ERROR, "The hub's store is away; try again later")
        if fate is Fate.ONE_TOO_MANY:
            return self._answers.plain(
                200, StatusCode.INVALID_PARAMETERS, f"A hub may report at most {MAX_REPORTED} parties"
            )
        return self._answers.plain(201 if fate is Fate.NEW else 200, StatusCode.OK)

    async def _stored(self, platform_id: str, report: ReportedParty) -> Fate:
        """Raises StoreUnavailable, also when the platform is changed by others all the time or is gone."""
        waiting = self._waiting.setdefault(platform_id, [])
        if len(waiting) >= MAX_REPORTED:
            raise StoreUnavailable("too many reports at once")
        fate: asyncio.Future[Fate] = asyncio.get_running_loop().create_future()
        waiting.append((report, fate))
        if platform_id not in self._writing:
            self._writing.add(platform_id)
            self._registry.in_background(self._write(platform_id))
        return await fate

    async def _write(self, platform_id: str) -> None:
        """Stores what waits until nothing does."""
        try:
            while waiting := self._waiting.pop(platform_id, None):
                await self._write_together(platform_id, waiting)
        finally:
            self._writing.discard(platform_id)

    async def _write_together(self, platform_id: str, waiting: list[_Waiting]) -> None:
        fates: list[Fate] = []

        def change(stored: Platform) -> Platform | None:
            reported, fates[:] = merged(stored.reported, [report for report, _ in waiting])
            return None if reported == stored.reported else stored.changed(self._clock.now(), reported=reported)

        problem = "the hub is stopping"
        stored: list[Fate] = []
        try:
            changed = await self._registry.change(platform_id, change)
            stored = [] if changed is None else fates
            problem = "the platform is gone"
        except (StoreUnavailable, StoreConflict) as failed:
            problem = str(failed)
            log.warning("reports of a peer hub could not be stored", platform=platform_id, problem=problem)
        finally:
            for position, (_, fate) in enumerate(waiting):
                if fate.done():
                    continue
                if stored:
                    fate.set_result(stored[position])
                else:
                    fate.set_exception(StoreUnavailable(problem))


def _addressed(tail: str) -> PartyId | None:
    """The party a path below the endpoint names."""
    segments = tail.removesuffix("/").split("/")
    if len(segments) != 2 or not all(segments):
        return None
    country_code, party_id = (unquote(segment) for segment in segments)
    return PartyId(country_code, party_id)
