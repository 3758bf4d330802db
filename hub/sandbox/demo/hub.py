"""What the demo needs of the hub it shows, as a port: the sandbox stands below the hub's own assembly."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from hub.domain.agreements import Agreement
from hub.domain.platform import RoleName
from hub.sandbox.answer import Answer


@dataclass(frozen=True, slots=True)
class Registered:
    """A platform as the hub knows it; `roles` are written like `CPO NL/ABC`, `version` is None before a handshake."""

    name: str
    status: str
    version: str | None
    roles: tuple[str, ...]


class NotInvited(Exception):
    """The hub refused an invitation; the text says why."""


class Hub(Protocol):
    """A running hub. Its URLs stay the same over a restart."""

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        ...

    @property
    def versions_url(self) -> str: ...

    @property
    def store(self) -> str:
        """Where it remembers, in words."""
        ...

    async def invite(self, name: str, roles: Sequence[RoleName] = ()) -> str:
        """A registration token for a new platform; the roles are reserved for it. Raises NotInvited."""
        ...

    async def connect(self, name: str, roles: Sequence[RoleName], versions_url: str, token: str) -> str | None:
        """The handshake with a new platform, started by the hub; a sentence when it did not succeed."""
        ...

    async def set_agreement(self, agreement: Agreement) -> None:
        """What its operator agrees to."""
        ...

    async def remove_agreement(self, agreement_id: str) -> None: ...

    async def pull(self, name: str, module: str) -> str | None:
        """Switches on the pull of a platform's module and waits for the first round; a sentence when it failed."""
        ...

    async def admin(self, method: str, path: str, body: object = None) -> Answer:
        """A call of its admin API by its operator; `path` is below `/admin/v1`."""
        ...

    def next_door(self) -> AbstractAsyncContextManager["Hub"]:
        """Another hub, registered with this one while the context lasts."""
        ...

    def registered(self) -> list[Registered]:
        """Every platform it knows, oldest first."""
        ...

    def messages(self) -> Mapping[tuple[str, str], int]:
        """Messages so far by module and outcome, those before a restart included."""
        ...

    async def restart(self) -> None:
        """Stops it and starts it again with the same settings, on the same port and store."""
        ...
