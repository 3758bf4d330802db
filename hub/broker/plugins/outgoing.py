"""Requests of plugins to anywhere: through the hub's own wires, by its rules."""

import re
from collections.abc import Mapping

from hub.domain.outcome import Answer, TimedOut, TooLarge, Unsent, UnsentReason
from hub.net.egress import EgressGuard, url_problem
from hub.net.forwarder import Forwarder, Wire, WireRequest
from hub.plugin.hub_api import HttpAnswer, HttpFailed, NotAllowed

IN_FLIGHT = 16
MOST_TIMEOUT_S = 120.0
_FRAMING = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"}
)


_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")


class GuardedHttp:
    """What `HubApi.http` does for one plugin."""

    def __init__(self, plugin: str, forwarder: Forwarder, guard: EgressGuard, *, allow_http: bool) -> None:
        self._wire = Wire(f"plugin {plugin}", IN_FLIGHT)
        self._forwarder = forwarder
        self._guard = guard
        self._allow_http = allow_http

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        timeout_s: float,
        max_body: int,
    ) -> HttpAnswer:
        """Raises NotAllowed, HttpFailed."""
        problem = url_problem(url, self._allow_http, self._guard)
        if problem is not None:
            raise NotAllowed(f"the URL cannot be used: {problem}")
        if not method.isupper() or not method.isalpha():
            raise NotAllowed(f"{method!r} is no method")
        sent: dict[str, str] = {}
        for name, value in (headers or {}).items():
            if name.lower() in _FRAMING or not _TOKEN.fullmatch(name) or not value.isprintable():
                raise NotAllowed(f"the header {name!r} cannot be set")
            sent[name] = value
        request = WireRequest(method, url, sent, body, min(timeout_s, MOST_TIMEOUT_S), max_body, max_body)
        outcome = await self._forwarder.send(self._wire, request)
        if isinstance(outcome, Answer):
            if outcome.rest is not None:
                outcome.rest.close()
                raise HttpFailed(f"the answer has more than {max_body} bytes", sent=True)
            return HttpAnswer(outcome.status, outcome.headers, outcome.body)
        if isinstance(outcome, Unsent):
            if outcome.reason is UnsentReason.FORBIDDEN:
                raise NotAllowed("the address is not public, and ALLOWED_NETWORKS does not name it")
            raise HttpFailed(f"not sent: {outcome.reason.value}", sent=False)
        whys = {TimedOut: f"no answer within {timeout_s:g} s", TooLarge: f"the answer has more than {max_body} bytes"}
        raise HttpFailed(whys.get(type(outcome), "the connection broke"), sent=True)
