"""What each node does: it tries for the duty, and hands what it is told to whoever holds it, which may be itself."""

import asyncio
from contextlib import suppress

from hub.plugin import HubApi, NotAllowed, StoreUnavailable, Term, TermOver
from plugins.load_manager.config import LoadManagerConfig
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.oscp import CapacityProviders, State
from plugins.load_manager.signals.judging import SignalRefused
from plugins.load_manager.steering.facts import ContactChanged, Fact, from_event, to_event
from plugins.load_manager.steering.keeping import Keeping
from plugins.load_manager.steering.lead import Lead
from plugins.load_manager.steering.scene import Mode, Scene
from plugins.load_manager.steering.watching import Watching

DUTY = "steering"
LOOK_EVERY_S = 10.0
_AGAIN_S, _BROKEN_S = 1.0, 10.0
_ALARM = "steering_stands_still"


class Node:
    """This node's part. `lead` is there while it holds the duty; `grid` is as new as the last look at the shelf."""

    def __init__(self, hub: HubApi, config: LoadManagerConfig) -> None:
        self.lead: Lead | None = None
        self.keeping = Keeping(hub, config.dispatch)
        self._grid = GridModel()
        self._hub = hub
        self._config = config
        self._beginning = asyncio.Lock()
        self._leaving = False

    @property
    def grid(self) -> GridModel:
        """The grid, as this node knows it."""
        return self._grid if self.lead is None else self.lead.scene.model

    async def open(self, providers: CapacityProviders) -> None:
        """Knows the grid from here on, and tries for the duty. Raises StoreUnavailable."""
        self._grid = await self.keeping.grid()
        watching = Watching(self._hub, providers)
        self._hub.every(LOOK_EVERY_S, self.look)
        self._hub.spawn(self._steer(providers, watching), name="steering")

    async def leave(self) -> None:
        """This node steers no more. If it did, what was sent to sessions is taken back first."""
        self._leaving = True
        async with self._beginning:
            lead = self.lead
        if lead is not None:
            await lead.leave()
        self._hub.clear_alarm(_ALARM, DUTY)

    async def tell(self, fact: Fact) -> bool:
        """Hands a fact to whoever steers; False for a signal that was heard before. Raises StoreUnavailable, NotAllowed
        when too much waits, and SignalRefused where it is this node that steers.
        """
        if self.lead is not None:
            with suppress(TermOver):
                return await self.lead.take(fact)
        await self._hub.to_duty(DUTY, to_event(fact))
        return True

    async def scene(self) -> Scene:
        """All that steering goes by: what is in memory here, else as it was kept last. Raises StoreUnavailable."""
        if self.lead is not None:
            return self.lead.scene
        return await self.keeping.load(Known(dc_minimum_mw=self._config.dc_minimum_kw * 1_000_000))

    async def scene_of(self, key: SessionKey) -> Scene:
        """The same, as far as one session is concerned."""
        if self.lead is not None:
            return self.lead.scene
        return await self.keeping.load_session(Known(), self._grid, key, self._hub.now())

    async def look(self) -> None:
        """Looks at the shelf for another grid, which a node needs that does not steer."""
        with suppress(StoreUnavailable):
            self._grid = await self.keeping.grid()

    async def _steer(self, providers: CapacityProviders, watching: Watching) -> None:
        while not self._leaving:
            try:
                async with self._hub.duty(DUTY) as term:
                    await self._lead(term, providers, watching)
                self._hub.clear_alarm(_ALARM, DUTY)
            except (TermOver, StoreUnavailable, NotAllowed) as over:
                self._hub.log.info("this node does not steer any more", reason=str(over))
            except ValueError as broken:
                # Something on the shelf cannot be read: charge points go on by what they have.
                self._hub.alarm(_ALARM, DUTY, f"Nobody steers: {broken}", standing=True)
                await self._hub.sleep(_BROKEN_S)
            await self._hub.sleep(_AGAIN_S)

    async def _lead(self, term: Term, providers: CapacityProviders, watching: Watching) -> None:
        async with self._beginning:
            lead = await self._begun(term, watching)
            self.lead = lead
        try:
            await providers.watch()
            for view in providers.every():
                if view.state in {State.HANDSHAKEN, State.ONLINE}:
                    await lead.take(ContactChanged(view.id, online=True))
            async for event in term.events():
                await self._take(lead, event)
        finally:
            self._grid = lead.scene.model
            self.lead = None
            lead.end()
            providers.unwatch()

    async def _begun(self, term: Term, watching: Watching) -> Lead:
        """Takes over what stands on the shelf. Raises StoreUnavailable, TermOver; ValueError when it cannot be read."""
        known = Known(dc_minimum_mw=self._config.dc_minimum_kw * 1_000_000)
        scene = await self.keeping.load(known)
        if not await self._hub.shelf.keys("mode"):
            scene.mode = Mode(shadow=self._config.shadow)
        lead = Lead(self._hub, self._config, term, scene=scene, keeping=self.keeping, watching=watching)
        try:
            await lead.begin()
        except BaseException:
            lead.end()
            raise
        return lead

    async def _take(self, lead: Lead, event: object) -> None:
        try:
            await lead.take(from_event(event))
        except (SignalRefused, ValueError) as refused:
            self._hub.log.warning("a fact was not taken over", error=str(refused))
