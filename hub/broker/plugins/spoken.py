"""From a plugin's verdict to an answer of the hub: envelopes, and headers that are not the hub's own."""

import re
from collections.abc import Mapping

from hub.broker.answer import Answers
from hub.broker.exchange import HubAnswer
from hub.clock import Clock
from hub.ocpi import envelope
from hub.ocpi.party_id import PartyId
from hub.plugin.verdicts import ABSENT, Answer, Reject

_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_OWN = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "host",
        "server",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "x-correlation-id",
        "x-request-id",
    }
)
_MOST_VALUE = 4096


class Unusable(ValueError):
    """A verdict cannot be carried out; the sentence says why."""


def usable_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """A plugin's headers. Raises Unusable for one that is the hub's, or cannot be written."""
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise Unusable(f"{name!r} is no header")
        if name.lower() in _OWN or name.lower().startswith("ocpi-"):
            raise Unusable(f"the header {name} is the hub's own")
        if not value.isprintable() or len(value) > _MOST_VALUE:
            raise Unusable(f"the value of the header {name} cannot be written")
    return dict(headers)


class Spoken:
    """Makes answers of verdicts."""

    def __init__(self, answers: Answers, clock: Clock) -> None:
        self._answers = answers
        self._clock = clock

    def answer(self, verdict: Answer | Reject, to: PartyId | None) -> HubAnswer:
        """The hub's answer in a plugin's words (`hub.plugin.verdicts.checked`), FROM the hub. Raises Unusable."""
        headers = usable_headers(verdict.headers)
        if to is not None and verdict.http not in (401, 403):
            headers |= self._answers.from_hub(to)
        if isinstance(verdict, Answer) and verdict.body is not None:
            return HubAnswer(verdict.http, verdict.body, code_of(verdict.body), headers)
        data = verdict.data if isinstance(verdict, Answer) else ABSENT
        now = self._clock.now()
        if data is ABSENT:
            body = envelope.render(verdict.status_code, verdict.message, now=now)
        else:
            body = envelope.render(verdict.status_code, verdict.message, data=data, now=now)
        return HubAnswer(verdict.http, body, int(verdict.status_code), headers)


def code_of(body: bytes) -> int:
    """The status code of a plugin's own envelope. Raises Unusable."""
    code = envelope.status_code_of(body)
    if code is None:
        raise Unusable("the body is not an OCPI envelope")
    return code


def checked_json(body: bytes) -> bytes:
    """A plugin's body for a leg. Raises Unusable."""
    found = envelope.scan_request(body)
    if isinstance(found, str):
        raise Unusable(found)
    return body
