"""The bench: a real hub in this process with plugins in it, and three simulated platforms registered at it over real
sockets.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, TypeVar

from pydantic import SecretStr

from hub.app import Given, RunningHub, running
from hub.broker.operations import Invited
from hub.broker.plugins.incarnation import Incarnation
from hub.errors import HubError
from hub.ocpi import codec
from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId
from hub.plugin import Plugin
from hub.plugin.inspecting import problems_of_class
from hub.plugin.loader import Available
from hub.sandbox.client import Client
from hub.sandbox.connection import Connection
from hub.sandbox.habits import Habits
from hub.sandbox.platform import SandboxPlatform
from hub.settings import Settings
from hub.store.open import create
from hub.testing.clock import BenchClock
from hub.testing.counted import UnderWay, counted
from hub.testing.pending import pending

PluginT = TypeVar("PluginT", bound=Plugin[Any])
Tables = Mapping[str, Mapping[str, Any]]

HUB = PartyId("NL", "HUB")
CPO = PartyId("NL", "CPO")
EMSP = PartyId("NL", "MSP")
OTHER = PartyId("DE", "MSP")

ADMIN_TOKEN = "admin-token-of-a-bench"  # noqa: S105 - the hub it opens lives as long as a test
SECRET_KEY = "secret-key-of-a-bench-0123456789abcdef"  # noqa: S105
_FAILURES = "ocpi_hub_plugin_failures_total"
_POLL_S = 0.002


class NotRunning(HubError):
    """A plugin of the bench did not start, or a platform could not be registered; the sentence says why."""


class AdminAnswer(NamedTuple):
    """What the admin API, or a route of a plugin, answered. `json` is None for a body that is no JSON."""

    status: int
    json: Any
    body: bytes


class Bench:
    """A hub with plugins. `cpo` hosts CPO NL/CPO, `emsp` EMSP NL/MSP and `other` EMSP DE/MSP; `clock` is the hub's."""

    def __init__(self, plugins: Sequence[type[Plugin[Any]]], config: Tables, clock: BenchClock, folder: Path) -> None:
        self.clock = clock
        self.cpo = SandboxPlatform("cpo", [(Role.CPO, *_pair(CPO))])
        self.emsp = SandboxPlatform("emsp", [(Role.EMSP, *_pair(EMSP))])
        self.other = SandboxPlatform("other", [(Role.EMSP, *_pair(OTHER))])
        self._joined: list[SandboxPlatform] = []
        self._plugins = tuple(plugins)
        self._settings = _settings(folder, plugins, config)
        self._client = Client(Connection(), Habits(), None)
        self._hub: RunningHub | None = None
        self._life = AsyncExitStack()
        self._under_way = UnderWay()
        self._loop = asyncio.get_running_loop()
        self.is_open = True
        clock.pending = self._pending

    # --- what is there ---

    @property
    def hub(self) -> RunningHub:
        """The hub; another one after `restart`."""
        if self._hub is None:
            raise NotRunning("the hub of this bench does not run yet")
        return self._hub

    @property
    def platforms(self) -> tuple[SandboxPlatform, ...]:
        """The three, and those that joined."""
        return self.cpo, self.emsp, self.other, *self._joined

    @property
    def plugin(self) -> Any:
        """The instance that runs now of the plugin that was named first."""
        return self.plugin_of(self._plugins[0])

    def plugin_of(self, kind: type[PluginT]) -> PluginT:
        """The instance that runs now of this class."""
        found = self.incarnation(kind).plugin
        assert isinstance(found, kind)  # noqa: S101 - it was made of it
        return found

    def incarnation(self, kind: type[Plugin[Any]]) -> Incarnation:
        """What the hub knows of it: its guard with timings, its watches."""
        return next(one for one in self.hub.plugins.running if isinstance(one.plugin, kind))

    @property
    def failures(self) -> dict[tuple[str, str, str], int]:
        """How often each plugin failed since the hub started, by plugin, hook and kind (raised, timeout, abandoned,
        nonsense, blocked, leaked). The log tells more. What happened at the end of the bench is there after it.
        """
        found: dict[tuple[str, str, str], int] = {}
        for metric in self.hub.metrics.collect():
            for sample in metric.samples:
                if sample.name == _FAILURES:
                    labels = sample.labels
                    found[labels["plugin"], labels["hook"], labels["kind"]] = int(sample.value)
        return found

    # --- what one does with it ---

    async def admin(self, method: str, path: str, json: object = None) -> AdminAnswer:
        """A call of the admin API; `path` is below `/admin/v1`, with a query if there is one."""
        said = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        return await self._called(method, f"{self.hub.url}/admin/v1{path}", json, said)

    async def call(
        self, method: str, path: str, json: object = None, headers: Mapping[str, str] | None = None
    ) -> AdminAnswer:
        """A call by a stranger: of a route for everybody, of the metrics."""
        return await self._called(method, f"{self.hub.url}{path}", json, headers or {})

    async def _called(self, method: str, url: str, body: object, headers: Mapping[str, str]) -> AdminAnswer:
        answer = await self._client.send(method, url, token_value=None, body=body, headers=headers)
        if answer.failure is not None:
            raise NotRunning(f"{method} {url}: {answer.failure}")
        try:
            read = codec.loads(answer.body)
        except codec.NotJson:
            read = None
        return AdminAnswer(answer.status, read, answer.body)

    async def settle(self) -> None:
        """Returns when nothing is pending: no message under way, everybody told, every inbox empty, everything stored.
        What waits for time waits on. Raises NotSettled.
        """
        await self.clock.settle()

    async def until(self, condition: Callable[[], object], timeout_s: float = 10.0) -> None:
        """Returns once the condition holds: for what the bench cannot see, such as `compute` in another process. Raises
        TimeoutError after so many real seconds.
        """
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 - what it looks at gives no event
                await asyncio.sleep(_POLL_S)

    async def join(self, name: str, role: Role, party: PartyId) -> SandboxPlatform:
        """One more platform that hosts one party, registered like the three and ended with them. Raises NotRunning."""
        platform = SandboxPlatform(name, [(role, *_pair(party))])
        self._joined.append(platform)
        await self._admit(platform)
        await self.settle()
        platform.received.clear()
        return platform

    async def reload(self, config: Tables) -> None:
        """The hub takes over other tables of its plugins, as after SIGHUP. Raises SettingsError, and then nothing has
        changed.
        """
        before = self._settings
        self._settings = before.model_copy(update={"plugin": dict(config)})
        try:
            await self.hub.plugins.reload()
        except BaseException:
            self._settings = before
            raise
        await self.settle()

    async def restart(self) -> None:
        """Ends the hub and starts it again: the same data, the same address, new instances of the plugins."""
        await self._life.aclose()
        await self._start()

    # --- its life ---

    async def open(self, *, registers: bool = True) -> None:
        """Starts it, and registers the platforms unless they are not wanted. Raises NotRunning, SettingsError."""
        await self._client.open()
        await self._start()
        for platform in self.platforms if registers else ():
            await self._admit(platform)
        await self.settle()
        for platform in self.platforms:
            platform.received.clear()

    async def _start(self) -> None:
        more = [_available(kind) for kind in self._plugins]
        given = Given(lambda: self._settings, "the bench", more)
        settings = self._settings
        store = counted(create(None, settings.mongodb_driver, settings.data_dir), self._under_way)
        legs = self._life.enter_context((settings.data_dir / "legs.log").open("ab"))
        hub = await self._life.enter_async_context(
            running(settings, clock=self.clock, store=store, legs_to=legs, given=given)
        )
        self._hub = hub
        # The port is chosen once and stays over a restart.
        self._settings = hub.settings
        for one in hub.plugins.running:
            if one.failed is not None:
                raise NotRunning(f"the plugin {one.name} did not start: {one.failed}")

    async def _admit(self, platform: SandboxPlatform) -> None:
        await platform.start()
        invited = await self.hub.operations.invite(platform.name, ())
        if not isinstance(invited, Invited):
            raise NotRunning(f"the hub does not invite {platform.name}: {invited.title}")
        done = await platform.register(self.hub.identity.versions_url, invited.registration_token)
        if not done.ok:
            raise NotRunning(f"the platform {platform.name} could not be registered: {done.problem}")

    async def close(self) -> None:
        """Ends hub and platforms. Safe twice."""
        self.is_open = False
        try:
            await self._life.aclose()
        finally:
            for platform in self.platforms:
                await platform.stop()
            await self._client.close()

    def close_from_outside(self) -> None:
        """Closes it when the test is over and its loop does not run any more."""
        if not self._loop.is_closed():
            self._loop.run_until_complete(self.close())

    def _pending(self) -> Sequence[str]:
        return () if self._hub is None else pending(self._hub, self.platforms, self._under_way, self.clock)


@asynccontextmanager
async def bench(
    *plugins: type[Plugin[Any]], config: Tables | None = None, clock: BenchClock | None = None
) -> AsyncIterator[Bench]:
    """A bench with these plugins, in this order. `config` is a table for each by its name, as `[plugin.NAME]` has it.

    Raises NotRunning or SettingsError, with the reason, when a plugin cannot run.
    """
    for kind in plugins:
        if problems := problems_of_class(kind):
            raise NotRunning(problems[0])
    async with _in_a_folder(plugins, config or {}, clock or BenchClock()) as made:
        await made.open()
        yield made


@asynccontextmanager
async def lonely_bench(plugin: type[Plugin[Any]]) -> AsyncIterator[Bench]:
    """A bench with one plugin and no platforms: for what a hub can say by itself."""
    async with _in_a_folder([plugin], {}, BenchClock()) as made:
        await made.open(registers=False)
        yield made


@asynccontextmanager
async def _in_a_folder(plugins: Sequence[type[Plugin[Any]]], config: Tables, clock: BenchClock) -> AsyncIterator[Bench]:
    with TemporaryDirectory(prefix="ocpi-hub-bench-") as folder:
        made = Bench(plugins, config, clock, Path(folder))
        try:
            yield made
        finally:
            await made.close()


def _available(kind: type[Plugin[Any]]) -> Available:
    return Available(kind.name, kind, f"{kind.__module__}.{kind.__qualname__}")


def _settings(folder: Path, plugins: Sequence[type[Plugin[Any]]], config: Tables) -> Settings:
    """Settings that read nothing from the machine; who does not answer is given up soon."""
    return Settings(
        port=0,
        country_code=HUB.country_code,
        party_id=HUB.party_id,
        data_dir=folder,
        admin_token=SecretStr(ADMIN_TOKEN),
        secret_key=(SecretStr(SECRET_KEY),),
        allow_http=True,
        allowed_networks=(ip_network("127.0.0.0/8"),),
        forward_timeout=2.0,
        authorize_timeout=1.0,
        connect_timeout=1.0,
        connect_back_timeout=2.0,
        plugins=tuple(kind.name for kind in plugins),
        plugin=dict(config),
    )


def _pair(party: PartyId) -> tuple[str, str]:
    return party.country_code, party.party_id
