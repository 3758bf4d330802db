"""The starting side of the credentials handshake (Sender): register, update, unregister (R-167, steps 1 to 8)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hub.domain.platform import TokenPurpose
from hub.ocpi import configuration, names
from hub.ocpi.configuration import Credentials
from hub.sandbox.answer import Answer
from hub.sandbox.client import Client
from hub.sandbox.connection import Connection, Counterpart
from hub.sandbox.discovery import discover


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a handshake went: `answer` is the last one received, `problem` a sentence when it did not succeed."""

    answer: Answer
    problem: str | None = None

    @property
    def ok(self) -> bool:
        return self.problem is None

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def status_code(self) -> int | None:
        return self.answer.status_code

    @property
    def data(self) -> Any:
        return self.answer.data


class Registration:
    """Starts handshakes. `credentials` renders this platform's own credentials object around a token."""

    def __init__(self, connection: Connection, client: Client, credentials: Callable[[str], dict[str, Any]]) -> None:
        self._connection = connection
        self._client = client
        self._credentials = credentials

    async def register(self, versions_url: str, token_a: str, token_b: str | None = None) -> Handshake:
        """The whole handshake with a token A; token B is valid here before the POST goes out."""
        return await self._agree("POST", versions_url, token_a, token_b)

    async def update(self, token_b: str | None = None) -> Handshake:
        """PUT: discovery again, new tokens both ways. Until it succeeded the tokens so far stay valid."""
        counterpart = self._connection.counterpart
        if counterpart is None:
            return Handshake(Answer("PUT", "", 0, {}, b"", 0.0, failure="not registered"), "not registered")
        return await self._agree("PUT", counterpart.versions_url, counterpart.token, token_b)

    async def unregister(self) -> Answer:
        """DELETE; after a success both directions have ended."""
        answer = await self._client.call("DELETE", names.CREDENTIALS, None)
        if answer.ok:
            self._connection.forget()
        return answer

    async def _agree(self, method: str, versions_url: str, opening: str, token_b: str | None) -> Handshake:
        found = await discover(self._client, versions_url, opening)
        if found.problem is not None:
            return Handshake(found.answer, found.problem)
        mine = token_b or self._connection.next_token()
        self._connection.inbound.add(mine, TokenPurpose.CREDENTIALS)
        answer = await self._client.send(
            method,
            found.endpoints[(names.CREDENTIALS, None)],
            token_value=opening,
            body=self._credentials(mine),
        )
        theirs = configuration.read(Credentials, answer.data) if answer.ok else str(answer)
        if isinstance(theirs, str):
            if mine != self._connection.inbound_token:
                self._connection.inbound.drop(mine)
            return Handshake(answer, f"credentials: {theirs}")
        before = self._connection.inbound_token
        if before is not None and before != mine:
            self._connection.inbound.drop(before)
        self._connection.inbound_token = mine
        self._connection.counterpart = Counterpart(theirs.url, theirs.token, found.endpoints, tuple(theirs.roles))
        return Handshake(answer)
