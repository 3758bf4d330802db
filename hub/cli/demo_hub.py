"""The hub of the demo: embedded SQLite in a folder of its own, short deadlines, and a restart at will."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from hub.app import RunningHub, running
from hub.broker.operations import Invited
from hub.broker.platform_settings import SettingsChange
from hub.broker.pulls import PullStatus
from hub.broker.refusal import Refusal
from hub.domain.agreements import Agreement
from hub.domain.platform import RoleName
from hub.metrics import MESSAGES
from hub.ocpi.names import Role
from hub.sandbox.answer import Answer
from hub.sandbox.client import Client
from hub.sandbox.connection import Connection
from hub.sandbox.demo import NotInvited, Registered
from hub.sandbox.habits import Habits
from hub.settings import Settings, ensure_secrets

_NEIGHBOUR = {"name": "Next Door Hub", "country_code": "BE", "party_id": "NXT"}
# There is no grid next door.
_NO_PLUGINS: dict[str, object] = {"plugins": (), "plugin": {}}
_PULL_EVERY_S = 3600.0
_PATIENCE_S = 10.0
_POLL_S = 0.01
_DEBOUNCE_S = 0.05


def _finished(hub: RunningHub, platform_id: str) -> bool:
    """Whether every pull of the platform has had its first round, well or not."""
    rows = [row for row in hub.pulls.overview() if row.platform_id == platform_id]
    return bool(rows) and all(row.status in (PullStatus.DONE, PullStatus.FAILED) for row in rows)


def demo_settings(folder: Path, port: int) -> Settings:
    """Settings that read nothing from the machine; a slow platform is given up after a second, and what changes on the
    grid is looked at almost at once. `port` is where DSOs reach the hub.
    """
    settings = Settings(
        name="Demo Hub",
        port=port,
        data_dir=folder,
        allow_http=True,
        allowed_networks=(ip_network("127.0.0.0/8"),),
        connect_timeout=1.0,
        forward_timeout=1.0,
        authorize_timeout=1.0,
        connect_back_timeout=2.0,
        probe_spacing=0.02,
        plugin={"load_manager": {"public_url": f"http://127.0.0.1:{port}", "debounce_s": _DEBOUNCE_S}},
    )
    return ensure_secrets(settings)[0]


class DemoHub:
    """A running hub, as the story needs it (`hub.sandbox.demo.Hub`). `legs_to` gets a line per routed message."""

    def __init__(self, settings: Settings, legs_to: BinaryIO) -> None:
        self._settings = settings
        self._legs_to = legs_to
        self._life: AbstractAsyncContextManager[RunningHub] | None = None
        self._running: RunningHub | None = None
        self._counted: Counter[tuple[str, str]] = Counter()

    async def __aenter__(self) -> Self:
        await self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _start(self) -> None:
        life = running(self._settings, legs_to=self._legs_to)
        self._running = await life.__aenter__()
        self._life = life
        self._settings = self._running.settings  # the port is chosen once, and stays over a restart

    async def _stop(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            self._counted = self.messages()
            self._running = None
            await life.__aexit__(None, None, None)

    async def restart(self) -> None:
        await self._stop()
        await self._start()

    @property
    def _hub(self) -> RunningHub:
        if self._running is None:
            raise RuntimeError("the hub of the demo does not run")
        return self._running

    @property
    def url(self) -> str:
        return self._settings.public_url

    @property
    def versions_url(self) -> str:
        return self._hub.identity.versions_url

    @property
    def store(self) -> str:
        return f"SQLite ({self._settings.sqlite_file})"

    async def invite(self, name: str, roles: Sequence[RoleName] = ()) -> str:
        return (await self._invited(name, roles)).registration_token

    async def _invited(self, name: str, roles: Sequence[RoleName]) -> Invited:
        invited = await self._hub.operations.invite(name, roles)
        if isinstance(invited, Refusal):
            raise NotInvited(f"the hub does not invite {name}: {invited.title}")
        return invited

    async def connect(self, name: str, roles: Sequence[RoleName], versions_url: str, token: str) -> str | None:
        platform = (await self._invited(name, roles)).platform
        connected = await self._hub.operations.connect(platform.id, versions_url, token)
        if not isinstance(connected, Refusal):
            return None
        return connected.title if connected.detail is None else f"{connected.title}: {connected.detail}"

    async def set_agreement(self, agreement: Agreement) -> None:
        await self._hub.registry.put_agreement(agreement)

    async def remove_agreement(self, agreement_id: str) -> None:
        await self._hub.registry.remove_agreement(agreement_id)

    async def pull(self, name: str, module: str) -> str | None:
        hub = self._hub
        platform = next(one for one in hub.registry.snapshot.platforms if one.name == name)
        changed = await hub.operations.change_settings(platform.id, SettingsChange(pull={module: _PULL_EVERY_S}))
        if isinstance(changed, Refusal):
            return changed.title
        rows = await hub.pulls.resync(platform.id)
        if isinstance(rows, Refusal):
            return rows.title
        async with asyncio.timeout(_PATIENCE_S):
            # What is waited for has no event of its own, and the demo is in no hurry.
            while not (hub.pulls.quiet and hub.broadcasts.quiet and _finished(hub, platform.id)):  # noqa: ASYNC110
                await asyncio.sleep(_POLL_S)
        return next((row.problem for row in hub.pulls.overview() if row.problem), None)

    async def admin(self, method: str, path: str, body: object = None) -> Answer:
        token = self._settings.admin_token
        said = {"Authorization": f"Bearer {token.get_secret_value() if token is not None else ''}"}
        client = Client(Connection(), Habits(), None)
        await client.open()
        try:
            url = f"{self.url}/admin/v1{path}"
            return await client.send(method, url, token_value=None, body=body, headers=said)
        finally:
            await client.close()

    @asynccontextmanager
    async def next_door(self) -> AsyncIterator["DemoHub"]:
        ours, theirs = self._settings, _NEIGHBOUR
        folder = ours.data_dir / "next-door"
        settings = demo_settings(folder, 0).model_copy(update=theirs | _NO_PLUGINS)
        async with DemoHub(settings, self._legs_to) as other:
            roles = (RoleName(Role.HUB, ours.country_code, ours.party_id),)
            token = await other.invite(ours.name, roles)
            neighbour = (RoleName(Role.HUB, theirs["country_code"], theirs["party_id"]),)
            problem = await self.connect(theirs["name"], neighbour, other.versions_url, token)
            if problem is not None:
                raise NotInvited(problem)
            try:
                yield other
            finally:
                for platform in self._hub.registry.snapshot.platforms:
                    if platform.name == theirs["name"]:
                        await self._hub.operations.remove(platform.id)

    def registered(self) -> list[Registered]:
        return [
            Registered(
                platform.name,
                self._hub.liveness.status(platform).value,
                None if platform.connection is None else platform.connection.version,
                tuple(f"{role.role.value} {role.party}" for role in platform.roles),
            )
            for platform in self._hub.registry.snapshot.platforms
        ]

    def messages(self) -> Counter[tuple[str, str]]:
        counted = Counter(self._counted)
        if self._running is not None:
            for metric in self._running.metrics.collect():
                for sample in metric.samples:
                    if sample.name == MESSAGES:
                        counted[sample.labels["module"], sample.labels["outcome"]] += int(sample.value)
        return counted
