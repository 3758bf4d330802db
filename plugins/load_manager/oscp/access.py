"""What the hub presents to a capacity provider: its token, an OAuth 2 access token that is kept until shortly before it
ends, or static headers.
"""

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from hub.ocpi import codec
from hub.plugin import HttpFailed, HubApi, NotAllowed
from plugins.load_manager.oscp.profile import Auth, ClientCredentials
from plugins.load_manager.oscp.provider import Provider

_DEFAULT_LIFE_S = 300.0
_LONGEST_LIFE_S = 24 * 3600.0
# Renewed so long before it ends, or at half its life when that is short.
_MARGIN_S = 30.0
_MOST_BODY = 64 * 1024
_LONGEST_TOKEN = 16 * 1024


class NotDelivered(Exception):
    """A message did not reach the capacity provider, or was refused by it; the sentence says why. `status` is the
    provider's answer, if there was one.
    """

    def __init__(self, why: str, status: int | None = None) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True, slots=True)
class _AccessToken:
    value: str = field(repr=False)
    renew_at_s: float


class Access:
    """Makes the headers that let the hub in."""

    def __init__(self, hub: HubApi) -> None:
        self._hub = hub
        self._tokens: dict[str, _AccessToken] = {}
        self._one_at_a_time: dict[str, asyncio.Lock] = {}

    async def headers(self, provider: Provider) -> dict[str, str]:
        """For one request to it. Raises NotDelivered when the authorization server gives no token."""
        profile = provider.profile
        said = {name: self._hub.secrets.open(value.get_secret_value()) for name, value in profile.headers.items()}
        if profile.oauth2 is not None:
            said["Authorization"] = f"Bearer {await self._access_token(provider.id, profile.oauth2)}"
        elif profile.auth is Auth.TOKEN:
            if provider.outbound_token is None:
                raise NotDelivered("it has given no token yet")
            said["Authorization"] = f"Token {self._hub.secrets.open(provider.outbound_token)}"
        return said

    def forget(self, provider_id: str) -> bool:
        """Its access token is not good any more; whether there was one."""
        return self._tokens.pop(provider_id, None) is not None

    def remove(self, provider_id: str) -> None:
        """The provider is gone."""
        self.forget(provider_id)
        self._one_at_a_time.pop(provider_id, None)

    async def _access_token(self, provider_id: str, client: ClientCredentials) -> str:
        async with self._one_at_a_time.setdefault(provider_id, asyncio.Lock()):
            kept = self._tokens.get(provider_id)
            if kept is None or self._hub.monotonic() >= kept.renew_at_s:
                kept = self._tokens[provider_id] = await self._granted(client)
            return kept.value

    async def _granted(self, client: ClientCredentials) -> _AccessToken:
        form = {"grant_type": "client_credentials"} | ({"scope": client.scope} if client.scope else {})
        asked_at_s = self._hub.monotonic()
        try:
            answer = await self._hub.http(
                "POST",
                client.token_url,
                headers={
                    "Authorization": self._basic(client),
                    "Content-Type": "application/x-www-form-urlencoded",
                    "Accept": "application/json",
                },
                body=urlencode(form).encode(),
                max_body=_MOST_BODY,
            )
        except (HttpFailed, NotAllowed) as failed:
            raise NotDelivered(f"the authorization server gave no token: {failed}") from None
        if answer.status != 200:
            raise NotDelivered(f"the authorization server answered {answer.status}")
        value, life_s = _read(answer.body)
        return _AccessToken(value, asked_at_s + max(life_s - _MARGIN_S, life_s / 2))

    def _basic(self, client: ClientCredentials) -> str:
        secret = self._hub.secrets.open(client.client_secret.get_secret_value())
        pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
        return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _read(body: bytes) -> tuple[str, float]:
    """Access token and its life in seconds."""
    try:
        found: Any = codec.loads(body)
    except codec.NotJson:
        found = None
    value = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TOKEN or not value.isascii() or " " in value:
        raise NotDelivered("the authorization server's answer has no access token")
    try:
        life_s = float(str(found.get("expires_in", _DEFAULT_LIFE_S)))
    except ValueError:
        life_s = _DEFAULT_LIFE_S
    return value, min(life_s, _LONGEST_LIFE_S) if life_s > 0 else _DEFAULT_LIFE_S
