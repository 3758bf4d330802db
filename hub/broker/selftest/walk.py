"""The walk through the configuration modules of a platform; the functional ones follow in `modules`.

Only GETs are sent, one after the other. A platform that is slow, down or wrong is a line of the report, never an
exception.
"""

from dataclasses import dataclass

from hub.broker.identity import HubIdentity
from hub.broker.outreach import Outreach
from hub.broker.registry import RegistryKeeper
from hub.broker.selftest.calls import Answered, Calls, NoAnswer
from hub.broker.selftest.modules import Modules
from hub.broker.selftest.report import Check, Report
from hub.clock import Clock
from hub.domain import handshake
from hub.domain.outcome import Answer
from hub.domain.platform import Connection, Platform
from hub.net.forwarder import Forwarder
from hub.ocpi import codec, configuration, times, urls
from hub.ocpi.configuration import Credentials
from hub.ocpi.names import CREDENTIALS, Interface
from hub.ocpi.party_id import PartyId, role_key
from hub.ocpi.token import authorization, new_token

WHOLE_S = 60.0
MOST_SKEW_S = 60.0


@dataclass(frozen=True, slots=True)
class _Walk:
    """One run: the platform, its connection, how it is called, and what was found so far."""

    platform: Platform
    connection: Connection
    calls: Calls
    report: Report


class Selftest:
    """`timeout_s` bounds each request, a minute the whole; https is not asked for when `allow_http`."""

    def __init__(
        self,
        registry: RegistryKeeper,
        outreach: Outreach,
        forwarder: Forwarder,
        identity: HubIdentity,
        clock: Clock,
        *,
        timeout_s: float,
        allow_http: bool,
    ) -> None:
        self._registry = registry
        self._outreach = outreach
        self._forwarder = forwarder
        self._identity = identity
        self._clock = clock
        self._timeout_s = timeout_s
        self._allow_http = allow_http

    async def run(self, platform: Platform) -> list[Check]:
        """Every line of the report, in the order of the walk."""
        report = Report()
        connection = platform.connection
        if connection is None:
            report.skipped("it is not registered, so it cannot be asked anything", "registered")
            return report.checks
        outbound = self._registry.outbound(platform)
        if outbound is None:
            report.note("token", False, "what is stored for it cannot be opened with SECRET_KEY")
            return report.checks
        calls = Calls(
            self._outreach, self._forwarder, outbound, self._clock, timeout_s=self._timeout_s, whole_s=WHOLE_S
        )
        walk = _Walk(platform, connection, calls, report)
        self._https(walk)
        details_url = await self._versions(walk)
        await self._refusals(walk)
        await self._details(walk, details_url)
        await self._credentials(walk)
        functional = Modules(
            platform,
            snapshot=self._registry.snapshot,
            hub=self._identity.party,
            calls=calls,
            report=report,
            clock=self._clock,
        )
        await functional.walk()
        return report.checks

    def _https(self, walk: _Walk) -> None:
        if self._allow_http:
            walk.report.skipped("ALLOW_HTTP is set, so it is not demanded", "https")
            return
        advertised = [walk.connection.versions_url, *(endpoint.url for endpoint in walk.connection.endpoints)]
        plain = [url for url in advertised if not url.lower().startswith("https://")]
        walk.report.none_of("https", plain, "every URL uses https")

    async def _versions(self, walk: _Walk) -> str | None:
        """The versions endpoint; what it gives as the URL of the version in use."""
        reply = await walk.calls.get(walk.connection.versions_url)
        rows = walk.report.answered("versions", reply)
        if isinstance(reply, Answered):
            self._envelope(walk.report, reply.answer)
            walk.report.ids_echoed("message ids", reply)
        else:
            walk.report.skipped("there is no answer to look at", "envelope", "timestamp", "message ids")
        if not isinstance(rows, list):
            walk.report.skipped("there is no list of versions to look at", "version in use")
            return None
        version = walk.connection.version
        for row in rows:
            if isinstance(row, dict) and row.get("version") == version:
                walk.report.note("version in use", True, f"{version} is listed")
                return str(row.get("url", ""))
        walk.report.note("version in use", False, f"{version} is in use and not listed")
        return None

    def _envelope(self, report: Report, answer: Answer) -> None:
        members = _members(answer.body)
        lacking = [f"{name} is missing" for name in ("status_code", "timestamp", "data") if name not in members]
        report.none_of("envelope", lacking, "status_code, timestamp and data are there")
        stamp = members.get("timestamp")
        moment = times.parse(stamp) if isinstance(stamp, str) else None
        if moment is None:
            report.note("timestamp", False, "it is not an RFC 3339 date and time")
            return
        skew_s = abs((moment - self._clock.now()).total_seconds())
        report.note("timestamp", skew_s <= MOST_SKEW_S, f"{skew_s:.1f} s from the hub's clock")

    async def _refusals(self, walk: _Walk) -> None:
        """Neither without a token nor with a wrong one may it answer anything but 401 (R-007)."""
        wrong = authorization(new_token(), walk.connection.token_encoding)
        for name, credentials in (("missing token", None), ("wrong token", wrong)):
            reply = await walk.calls.get_as(credentials, walk.connection.versions_url)
            if isinstance(reply, NoAnswer):
                walk.report.unanswered(name, reply)
            else:
                status = reply.answer.status
                detail = "refused with HTTP 401" if status == 401 else f"answered with HTTP {status} instead of 401"
                walk.report.note(name, status == 401, detail)

    async def _details(self, walk: _Walk, url: str | None) -> None:
        report = walk.report
        if url is None:
            reason = "the versions list gives no URL for the version in use"
            report.skipped(reason, "version details", "endpoint roles", "endpoint URLs")
            return
        data = report.answered("version details", await walk.calls.get(url))
        endpoints = data.get("endpoints") if isinstance(data, dict) else None
        if not isinstance(endpoints, list):
            report.skipped("there is no list of endpoints to look at", "endpoint roles", "endpoint URLs")
            return
        rows = [row if isinstance(row, dict) else {} for row in endpoints]
        # A role means nothing for credentials.
        roleless = [
            f"{_module(row)} has no role"
            for row in rows
            if row.get("role") not in tuple(Interface) and _module(row) != CREDENTIALS
        ]
        report.none_of("endpoint roles", roleless, "every endpoint says SENDER or RECEIVER")
        unusable = [f"{_module(row)}: {problem}" for row in rows if (problem := self._url_problem(row))]
        report.none_of("endpoint URLs", unusable, "every URL can be called")

    def _url_problem(self, row: dict[str, object]) -> str | None:
        url = row.get("url")
        if not isinstance(url, str) or urls.origin(url) is None:
            return "it has no absolute URL"
        return self._outreach.url_problem(url)

    async def _credentials(self, walk: _Walk) -> None:
        report = walk.report
        url = handshake.find_endpoint(walk.connection.endpoints, CREDENTIALS)
        if url is None:
            report.note("credentials", False, "version details list no credentials endpoint")
            report.skipped("there is no credentials endpoint", "credentials roles")
            return
        data = report.answered("credentials", await walk.calls.get(url))
        if data is None:
            report.skipped("there are no credentials to look at", "credentials roles")
            return
        credentials = configuration.read(Credentials, data)
        if isinstance(credentials, str):
            report.note("credentials roles", False, f"the credentials are not usable: {credentials}")
            return
        told = {role_key(role.role, PartyId(role.country_code, role.party_id)) for role in credentials.roles}
        known = {role.key for role in walk.platform.roles}
        wrong = [f"{key} is not registered" for key in sorted(told - known)]
        wrong += [f"{key} is registered and not there" for key in sorted(known - told)]
        report.none_of("credentials roles", wrong, "they are those it registered")


def _module(row: dict[str, object]) -> str:
    return str(row.get("identifier", "(no identifier)"))


def _members(body: bytes) -> dict[str, object]:
    try:
        found = codec.loads(body)
    except codec.NotJson:
        return {}
    return found if isinstance(found, dict) else {}
