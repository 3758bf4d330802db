"""The answering side of the credentials handshake (Receiver): versions, version details, credentials."""

from collections.abc import Callable
from typing import Any

from hub.domain.platform import TokenPurpose
from hub.ocpi import codec, configuration
from hub.ocpi.configuration import Credentials
from hub.ocpi.status import StatusCode
from hub.sandbox.client import Client
from hub.sandbox.connection import Connection, Counterpart
from hub.sandbox.discovery import discover
from hub.sandbox.endpoints import ROOT, Directory
from hub.sandbox.habits import Habits
from hub.sandbox.received import Received
from hub.sandbox.reply import Replies, Reply


class ConfigurationModules:
    """Serves what comes before any functional module. Tokens have been checked by the time a request gets here."""

    def __init__(
        self,
        *,
        connection: Connection,
        client: Client,
        directory: Directory,
        habits: Habits,
        replies: Replies,
        base_url: Callable[[], str],
        credentials: Callable[[str], dict[str, Any]],
    ) -> None:
        self._connection = connection
        self._client = client
        self._directory = directory
        self._habits = habits
        self._replies = replies
        self._base_url = base_url
        self._credentials = credentials

    def versions(self) -> Reply:
        rows = [{"version": one, "url": f"{self._base_url()}{ROOT}/{one}"} for one in self._habits.versions]
        return self._replies.ok(rows)

    def details(self) -> Reply:
        return self._replies.ok(self._directory.details(self._base_url()))

    async def serve(self, received: Received, presented: str, purpose: TokenPurpose) -> Reply:
        """One request to the credentials endpoint, presented with this valid token."""
        registered = purpose is TokenPurpose.CREDENTIALS and self._connection.counterpart is not None
        allowed = ("GET", "PUT", "DELETE") if registered else ("GET", "POST")
        if received.method not in allowed:
            message = "not in this state of the registration"
            return self._replies.refused(
                StatusCode.CLIENT_ERROR, message, status=405, extra={"Allow": ", ".join(allowed)}
            )
        if received.method == "GET":
            return self._replies.ok(self._credentials(presented))
        if received.method == "DELETE":
            self._connection.forget()
            return self._replies.ok()
        return await self._agree(received, presented)

    async def _agree(self, received: Received, presented: str) -> Reply:
        try:
            theirs = configuration.read(Credentials, received.data)
        except codec.NotJson:
            return self._replies.refused(StatusCode.CLIENT_ERROR, "the body is not JSON", status=400)
        if isinstance(theirs, str):
            return self._replies.refused(StatusCode.INVALID_PARAMETERS, theirs)
        found = await discover(self._client, theirs.url, theirs.token)
        if found.problem is not None:
            return self._replies.refused(found.code, found.problem)
        mine = self._connection.next_token()
        if received.method == "POST":
            self._connection.inbound.drop(presented)  # token A is for one registration
            self._connection.inbound.add(mine, TokenPurpose.CREDENTIALS)
        else:
            self._connection.inbound.succeed(presented, mine)
        self._connection.inbound_token = mine
        self._connection.counterpart = Counterpart(theirs.url, theirs.token, found.endpoints, tuple(theirs.roles))
        return self._replies.ok(self._credentials(mine))
