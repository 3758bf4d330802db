"""An operator at the admin API of a running hub. Every answer it gets is held against the hub's OpenAPI document."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from openapi_schema_validator import OAS31Validator

from hub.app import RunningHub
from hub.ocpi import codec
from hub.ocpi.names import Role
from hub.sandbox import SandboxPlatform
from hub.web.admin import PREFIX
from hub.web.admin.openapi import document
from hub.web.admin.table import ENDPOINTS
from tests.hubs import ADMIN_TOKEN

BEARER = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@dataclass(frozen=True)
class Reply:
    """One answer, its body parsed."""

    status: int
    headers: Mapping[str, str]
    body: Any
    text: str

    @property
    def pointers(self) -> list[str]:
        return [error["pointer"] for error in self.body.get("errors", [])]


class Operator:
    """Calls the admin API; `path` is what follows the prefix. What is not documented fails the test."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session
        self._document = document(ENDPOINTS, PREFIX, url)

    async def get(self, path: str, **query: str) -> Reply:
        return await self.call("GET", path, query=query)

    async def post(self, path: str, body: object = None) -> Reply:
        return await self.call("POST", path, body)

    async def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        prefix: str = PREFIX,
    ) -> Reply:
        """One call; bytes go out as they are, other bodies as JSON."""
        content = body if isinstance(body, bytes) or body is None else codec.dumps(body)
        async with self.session.request(
            method,
            f"{self.url}{prefix}{path}",
            params=query,
            data=content,
            headers=BEARER if headers is None else headers,
            allow_redirects=False,
        ) as answer:
            received = await answer.read()
            reply = Reply(answer.status, answer.headers, codec.loads(received), received.decode())
        self._hold_against_document(method, f"{prefix}{path}", reply)
        return reply

    def _hold_against_document(self, method: str, path: str, reply: Reply) -> None:
        kind = reply.headers["Content-Type"]
        if reply.status >= 400:
            assert kind == "application/problem+json"
            self._validate("ProblemOutput", reply)
            assert reply.body["status"] == reply.status
        endpoint = next(
            (one for one in ENDPOINTS if one.method == method and one.values_in(path.removeprefix(PREFIX)) is not None),
            None,
        )
        if endpoint is None or reply.status in (408, 500):
            return
        documented = self._document["paths"][f"{PREFIX}{endpoint.path}"][method.lower()]["responses"]
        assert str(reply.status) in documented, f"{method} {path} answered {reply.status}, which is not documented"
        if reply.status < 400:
            assert kind == "application/json"
            schema = documented[str(reply.status)]["content"][kind]["schema"]["$ref"]
            self._validate(schema.rpartition("/")[2], reply)

    def _validate(self, schema: str, reply: Reply) -> None:
        whole = {"$ref": f"#/components/schemas/{schema}", "components": self._document["components"]}
        OAS31Validator(whole).validate(reply.body)

    async def invite(self, name: str = "Charge", *roles: str) -> dict[str, Any]:
        """An invitation for a platform with roles such as `CPO:NL:ABC`."""
        reply = await self.post("/platforms", {"name": name, "roles": [as_body(role) for role in roles]})
        assert reply.status == 201, reply.text
        invited: dict[str, Any] = reply.body
        return invited

    async def register(self, platform: SandboxPlatform, *roles: str) -> str:
        """The id of a platform that was invited and has registered."""
        invited = await self.invite(platform.name, *roles)
        handshake = await platform.register(invited["versions_url"], invited["registration_token"])
        assert handshake.ok, handshake.problem
        return str(invited["id"])


def as_body(role: str) -> dict[str, str]:
    """`CPO:NL:ABC` as the admin API takes it."""
    kind, country_code, party_id = role.split(":")
    return {"role": kind, "country_code": country_code, "party_id": party_id}


@pytest.fixture
async def admin(hub: RunningHub) -> AsyncIterator[Operator]:
    async with aiohttp.ClientSession() as session:
        yield Operator(hub.url, session)


@pytest.fixture
async def cpo() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Charge", [(Role.CPO, "NL", "CPA"), (Role.CPO, "BE", "CPB")]) as platform:
        yield platform


@pytest.fixture
async def emsp() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Drive", [(Role.EMSP, "NL", "EMA")]) as platform:
        yield platform
