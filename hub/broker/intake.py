"""From a request line to an exchange: who calls, what is addressed, whether the method fits (steps 1 to 3 of the
walk).
"""

from collections.abc import Mapping
from typing import NamedTuple

from hub.broker.answer import Answers
from hub.broker.exchange import Caller, HubAnswer
from hub.broker.liveness import LivenessBoard
from hub.broker.registration import unauthorized
from hub.broker.registry import RegistryKeeper
from hub.domain.platform import TokenPurpose
from hub.domain.routing import speaker
from hub.ocpi import headers, urls
from hub.ocpi.names import CONFIGURATION_MODULES, CREDENTIALS, HUB_CLIENT_INFO, Interface
from hub.ocpi.status import StatusCode
from hub.ocpi.versions import SERVED, Match, VersionTable, WrongMethod

REPORTS = "reports"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_INTERFACES = {"sender": Interface.SENDER, "receiver": Interface.RECEIVER}


class Configuration(NamedTuple):
    """A request to a configuration module: `versions`, `details`, `credentials`, `hubclientinfo`, or `reports`, which
    is the other interface of hubclientinfo; `tail` is the raw path below that one.
    """

    what: str
    version: VersionTable | None
    tail: str = ""


class Functional(NamedTuple):
    """A request to a functional module. `match` is None for a custom one; `tail` is the raw path below the endpoint."""

    version: VersionTable
    module: str
    interface: Interface
    tail: str
    match: Match | None


class Intake:
    """Reads what stands before the body."""

    def __init__(self, registry: RegistryKeeper, liveness: LivenessBoard, answers: Answers) -> None:
        self._registry = registry
        self._liveness = liveness
        self._answers = answers

    def caller(self, request_headers: Mapping[str, str]) -> Caller | HubAnswer:
        """The platform behind the token, which has thereby shown that it is there; else 401."""
        caller = self._registry.caller(request_headers.get(headers.AUTHORIZATION))
        if caller is None:
            return unauthorized(self._answers)
        if caller.platform.connection is not None:
            self._liveness.heard(caller.platform.id)
        return caller

    def addressed(self, answer: HubAnswer, caller: Caller, path: str, request_headers: Mapping[str, str]) -> HubAnswer:
        """An answer of the hub's own with its routing headers, if it concerns a functional module and has none yet: TO
        the party that speaks, as far as that is known, FROM the hub (RT7, T-19).
        """
        functional = "/sender/" in path or "/receiver/" in path
        if answer.http in (401, 403) or not functional or headers.TO_PARTY in answer.headers:
            return answer
        if HUB_CLIENT_INFO in path:
            return answer
        to = speaker(self._registry.snapshot, caller.platform, headers.read_sender(request_headers))
        if to is not None:
            answer.headers |= self._answers.from_hub(to)
        return answer

    def may_route(self, caller: Caller) -> HubAnswer | None:
        """Functional modules need a registered platform (R-008) that is not suspended."""
        if caller.token.purpose is not TokenPurpose.CREDENTIALS or caller.platform.connection is None:
            return unauthorized(self._answers)
        if caller.platform.suspended:
            return self._answers.plain(403, StatusCode.CLIENT_ERROR, "Your platform is suspended at this hub")
        return None

    def address(self, path: str, method: str) -> Configuration | Functional | HubAnswer:
        """What a path below `/ocpi` addresses; 404 for unknown ones, 405 with `Allow` for a method that does not
        fit.
        """
        parts = path.split("/", 3)  # version, interface, module, tail
        version = SERVED.get(parts[0])
        interface = _INTERFACES.get(parts[1]) if len(parts) > 2 else None
        if version is not None and interface is not None:
            tail = parts[3] if len(parts) > 3 else ""
            if parts[2] == HUB_CLIENT_INFO and interface is Interface.SENDER and not tail:
                return self._configuration(HUB_CLIENT_INFO, version, method)
            if parts[2] == HUB_CLIENT_INFO and interface is Interface.RECEIVER:
                return Configuration(REPORTS, version, tail)
            return self.functional(version, parts[2], interface, tail, method)
        rest = [part for part in parts[1:] if part]
        if parts[0] == "versions" and not rest:
            return self._configuration("versions", None, method)
        if version is None:
            return self._unknown("This hub does not serve this version or path")
        if not rest:
            return self._configuration("details", version, method)
        if rest == [CREDENTIALS]:
            return Configuration(CREDENTIALS, version)
        return self._unknown("There is nothing at this path")

    def functional(
        self, version: VersionTable, module: str, interface: Interface, tail: str, method: str
    ) -> Functional | HubAnswer:
        """What a path below the endpoint of a functional module addresses."""
        if not urls.plain(tail) and (urls.climbs(tail) or not urls.printable(tail)):
            return self._unknown("There is nothing at this path")
        table = version.by_endpoint.get((module, interface))
        if table is None:
            if module in CONFIGURATION_MODULES or not self._registry.snapshot.is_offered(module, interface):
                return self._unknown("This hub does not know this module")
            return Functional(version, module, interface, tail, None) if method in METHODS else self._wrong(METHODS)
        bare = tail.removesuffix("/")
        match = table.look_up(method, tuple(bare.split("/")) if bare else ())
        if match is None:
            return self._unknown("There is nothing at this path of the module")
        if isinstance(match, WrongMethod):
            return self._wrong(match.allow)
        return Functional(version, module, interface, tail, match)

    def _configuration(self, what: str, version: VersionTable | None, method: str) -> Configuration | HubAnswer:
        return Configuration(what, version) if method == "GET" else self._wrong(("GET",))

    def _unknown(self, message: str) -> HubAnswer:
        return self._answers.plain(404, StatusCode.CLIENT_ERROR, message)

    def _wrong(self, allow: tuple[str, ...]) -> HubAnswer:
        return self._answers.plain(
            405, StatusCode.CLIENT_ERROR, f"Use one of: {', '.join(allow)}", {"Allow": ", ".join(allow)}
        )
