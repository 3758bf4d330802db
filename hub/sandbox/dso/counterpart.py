"""What the simulated DSO knows of the Flexibility Provider, and which tokens it lets in."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import parse_qs, unquote_plus

from hub.clock import Clock
from hub.ocpi import codec, token
from hub.sandbox.received import Received
from hub.sandbox.reply import Reply


@dataclass
class Link:
    """One connection. `outbound_token` is what the DSO presents, `inbound_token` what it wants to see.

    asked_interval_s is how often the other side wants heartbeats; None: it has asked for none. `early` are messages
    that came before the answer to what they are a consequence of.
    """

    base_url: str | None = None
    outbound_token: str | None = field(default=None, repr=False)
    inbound_token: str | None = field(default=None, repr=False)
    registration_token: str | None = field(default=None, repr=False)
    handshake_id: str | None = None
    asked_interval_s: float | None = None
    registered: asyncio.Event = field(default_factory=asyncio.Event)
    acknowledged: asyncio.Event = field(default_factory=asyncio.Event)
    unanswered: set[str] = field(default_factory=set)
    early: list[str] = field(default_factory=list)

    def lets_in(self, authorization: str | None) -> str | None:
        """The token that is presented, if it is one of its own: as it is, not as Base64."""
        scheme, _, value = (authorization or "").partition(" ")
        known = [one for one in (self.inbound_token, self.registration_token) if one is not None]
        return value if scheme == "Token" and value in known else None

    def forget(self) -> None:
        """Ends the connection in both directions."""
        self.base_url = self.outbound_token = self.inbound_token = self.registration_token = None
        self.asked_interval_s = self.handshake_id = None
        self.registered.clear()
        self.acknowledged.clear()


class AuthorizationServer:
    """Grants access tokens by client credentials (OAuth 2) good for `life_s` seconds. `granted` counts them."""

    def __init__(self, client_id: str, client_secret: str, life_s: float, clock: Clock) -> None:
        self.life_s = life_s
        self._known = (client_id, client_secret)
        self._clock = clock
        self._numbers = count(1)
        self._until_s: dict[str, float] = {}

    @property
    def granted(self) -> int:
        return len(self._until_s)

    def grant(self, received: Received) -> Reply:
        """The answer to a request for a token."""
        form = parse_qs(received.body.decode(errors="replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _refused(400, "unsupported_grant_type")
        if _basic(received.headers) != self._known:
            return _refused(401, "invalid_client")
        value = f"access-{next(self._numbers)}-{token.new_token()}"
        self._until_s[value] = self._clock.monotonic() + self.life_s
        body = {"access_token": value, "token_type": "Bearer", "expires_in": self.life_s}
        return Reply(200, codec.dumps(body), {"Content-Type": "application/json"})

    def lets_in(self, authorization: str | None) -> bool:
        scheme, _, value = (authorization or "").partition(" ")
        return scheme == "Bearer" and self._until_s.get(value, float("-inf")) > self._clock.monotonic()

    def revoke(self) -> None:
        """No token that was granted is good any more."""
        self._until_s = dict.fromkeys(self._until_s, float("-inf"))


def _basic(headers: Mapping[str, str]) -> tuple[str, str] | None:
    scheme, _, value = headers.get("Authorization", "").partition(" ")
    try:
        pair = base64.b64decode(value, validate=True).decode()
    except ValueError:
        return None
    client_id, _, secret = pair.partition(":")
    return (unquote_plus(client_id), unquote_plus(secret)) if scheme == "Basic" else None


def _refused(status: int, error: str) -> Reply:
    return Reply(status, codec.dumps({"error": error}), {"Content-Type": "application/json"})
