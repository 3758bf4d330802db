"""The hub as a client of configuration modules: versions, version details, credentials of a platform (R-157 to
R-172).
"""

from dataclasses import dataclass, field

from hub.broker.ids import message_id
from hub.broker.registry import RegistryKeeper
from hub.domain import relay
from hub.domain.handshake import endpoints_of
from hub.domain.outcome import Answer, Outcome, TimedOut, Unsent, UnsentReason
from hub.domain.platform import Connection, Endpoint, Platform
from hub.net.egress import EgressGuard, url_problem
from hub.net.forwarder import Forwarder, Wire, WireRequest
from hub.ocpi import codec, configuration, headers, urls
from hub.ocpi.configuration import Credentials, Version, VersionDetails
from hub.ocpi.status import is_success
from hub.ocpi.token import TokenEncoding, authorization

# Configuration answers are small; a platform that sends more is not answering what was asked.
MAX_ANSWER = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a call did not give what was asked for, in a sentence without secrets; `http` if there was an answer.

    `unknown`: the platform may have done what it was asked to all the same. `no_evidence`: the reason lies with the hub
    and says nothing about the platform.
    """

    why: str
    http: int | None = None
    unknown: bool = False
    no_evidence: bool = False


@dataclass(frozen=True, slots=True)
class Access:
    """A token and its encoding to try on a platform."""

    token: str = field(repr=False)
    encoding: TokenEncoding


@dataclass(frozen=True, slots=True)
class Discovery:
    """What connect-back found: the versions offered, the endpoints of one of them, and the access that worked."""

    version: str
    endpoints: tuple[Endpoint, ...]
    access: Access


class Outreach:
    """Calls to the configuration modules of platforms. They carry message ids and never routing headers (R-054)."""

    def __init__(
        self,
        registry: RegistryKeeper,
        forwarder: Forwarder,
        guard: EgressGuard,
        *,
        timeout_s: float,
        allow_http: bool,
    ) -> None:
        self._registry = registry
        self._forwarder = forwarder
        self._timeout_s = timeout_s
        self._allow_http = allow_http
        self._guard = guard

    def url_problem(self, url: str) -> str | None:
        """Why the hub would not call this URL at all, or None."""
        if len(url) > urls.MAX_URL_LENGTH:
            return "it is longer than 255 characters"
        return url_problem(url, self._allow_http, self._guard)

    async def request(self, wire: Wire, method: str, url: str, credentials: str, body: bytes | None = None) -> Outcome:
        """One call with its own message ids; the outcome as it is."""
        sent = {
            headers.AUTHORIZATION: credentials,
            headers.REQUEST_ID: message_id(),
            headers.CORRELATION_ID: message_id(),
            "Accept": headers.JSON,
        }
        if body is not None:
            sent[headers.CONTENT_TYPE] = headers.JSON
        problem = self.url_problem(url)
        if problem is not None:
            return Unsent(UnsentReason.UNUSABLE, problem)
        request = WireRequest(method, url, sent, body, self._timeout_s, MAX_ANSWER, MAX_ANSWER)
        return await self._forwarder.send(wire, request)

    async def fetch(
        self, wire: Wire, method: str, url: str, access: Access, body: bytes | None = None
    ) -> object | Failed:
        """The `data` of a successful envelope."""
        outcome = await self.request(wire, method, url, authorization(access.token, access.encoding), body)
        if not isinstance(outcome, Answer):
            return Failed(f"{method} {url}: {describe(outcome)}", unknown=not isinstance(outcome, Unsent))
        envelope = configuration.data_of(outcome.body)
        if not 200 <= outcome.status < 300:
            # 504 comes from what stands before a platform and stopped waiting for it.
            return Failed(f"{method} {url}: HTTP {outcome.status}", outcome.status, unknown=outcome.status == 504)
        if envelope is None:
            return Failed(f"{method} {url}: the answer is not an OCPI response", outcome.status, unknown=True)
        code, data = envelope
        return data if is_success(code) else Failed(f"{method} {url}: status code {code}", outcome.status)

    async def versions(self, wire: Wire, url: str, accesses: list[Access]) -> tuple[list[Version], Access] | Failed:
        """The versions list, with the first access the platform takes; only a 401 moves on to the next (R-006,
        R-176).
        """
        failed = Failed("no token to try")
        for access in accesses:
            data = await self.fetch(wire, "GET", url, access)
            if isinstance(data, Failed):
                failed = data
                if data.http == 401:
                    continue
                return data
            rows = configuration.read_list(Version, data)
            if isinstance(rows, str) or not rows:
                return Failed(f"GET {url}: the versions list is not usable: {rows or 'it is empty'}")
            return rows, access
        return failed

    async def details(self, wire: Wire, row: Version, access: Access) -> tuple[Endpoint, ...] | Failed:
        """The endpoints of one version. Every URL must be one the hub may call (R-125, guard)."""
        data = await self.fetch(wire, "GET", row.url, access)
        if isinstance(data, Failed):
            return data
        details = configuration.read(VersionDetails, data)
        if isinstance(details, str):
            return Failed(f"GET {row.url}: the version details are not usable: {details}")
        if details.version != row.version:
            return Failed(f"GET {row.url}: the details are of version {details.version}, not {row.version}")
        for endpoint in details.endpoints:
            problem = self.url_problem(endpoint.url)
            if problem is not None:
                return Failed(f"the endpoint URL of {endpoint.identifier} cannot be used: {problem}")
        return endpoints_of(details)

    async def credentials(
        self, wire: Wire, method: str, url: str, access: Access, body: Credentials
    ) -> Credentials | Failed:
        """POST or PUT of the hub's credentials; the platform's own in return."""
        data = await self.fetch(wire, method, url, access, codec.dumps(body.model_dump(mode="json", exclude_none=True)))
        if isinstance(data, Failed):
            return data
        found = configuration.read(Credentials, data)
        if isinstance(found, str):
            return Failed(f"{method} {url}: the credentials are not usable: {found}", unknown=True)
        return found

    async def probe(self, platform: Platform) -> Failed | None:
        """GET of the versions endpoint with the token in use (R-154); None when it answers."""
        outbound = self._registry.outbound(platform)
        connection: Connection | None = platform.connection
        if outbound is None or connection is None:
            return Failed("not registered, or the hub cannot open its own key", no_evidence=True)
        outcome = await self.request(outbound.wire, "GET", connection.versions_url, outbound.authorization)
        if not isinstance(outcome, Answer):
            return Failed(
                describe(outcome), no_evidence=isinstance(outcome, Unsent) and relay.shows_life(outcome) is None
            )
        return None if 200 <= outcome.status < 300 else Failed(f"HTTP {outcome.status}", outcome.status)


def describe(outcome: Outcome) -> str:
    """A failed outcome in words for an operator."""
    if isinstance(outcome, Unsent):
        words = {
            UnsentReason.REFUSED: "the connection could not be made",
            UnsentReason.DNS: "the host name cannot be resolved",
            UnsentReason.TLS: "TLS failed",
            UnsentReason.FORBIDDEN: "the address is not public and not in ALLOWED_NETWORKS",
            UnsentReason.FULL: "too many requests are in flight",
            UnsentReason.UNUSABLE: "the URL cannot be used",
        }[outcome.reason]
        return f"{words} ({outcome.detail})" if outcome.detail else words
    if isinstance(outcome, TimedOut):
        return "no answer in time"
    return "the connection broke" if not isinstance(outcome, Answer) else f"HTTP {outcome.status}"
