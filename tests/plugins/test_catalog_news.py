"""What the hub changes in its catalog by reading an owner's list is told to plugins, once and no more than there is."""

from pathlib import Path
from typing import Any

from hub.broker.plugins.catalog_news import MOST_NAMED, CatalogNews
from hub.clock import ManualClock
from hub.ocpi import names
from hub.ocpi.party_id import PartyId
from hub.plugin import CatalogChange, HubApi, Plugin, PluginConfig
from tests.conformance.pulling import Setting, disown, known_ids, own
from tests.plugins.hosting import hosting, put_location, running
from tests.plugins.test_trouble import failures
from tests.waiting import until

CPA = PartyId("NL", "CPA")


class Reader(Plugin[PluginConfig]):
    """Remembers what it was told; fails when it is told of an object that is called so."""

    name = "reader"

    def __init__(self, config: PluginConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self.told: list[CatalogChange] = []

    def on_catalog_changed(self, change: CatalogChange) -> None:
        self.told.append(change)
        if "POISON" in (change.objects or ()):
            raise ValueError("it cannot be read")


async def test_each_change_of_a_list_is_told_once(tmp_path: Path) -> None:
    clock = ManualClock()
    with known_ids():
        async with hosting(tmp_path, Reader, clock=clock) as (hub, world):
            scene, reader = Setting(hub, world, clock), running(hub, Reader)

            def told(owner: PartyId = CPA) -> list[Any]:
                return [change.objects for change in reader.told if change.owner == owner]

            own(scene, "L1", "L2", "L3")
            await scene.pull("P1", locations=60)
            await until(lambda: told() == [None])  # the first crawl is hidden until it is complete
            assert {change.module for change in reader.told} == {names.LOCATIONS}

            await scene.passes(61)
            await scene.resync("P1")
            assert told() == [None]  # nothing has changed

            own(scene, "L2", name="P1", last_updated="2026-06-01T00:00:00Z")
            own(scene, "L4", last_updated="2026-06-01T00:00:00Z")
            disown(scene, "L3")
            await scene.passes(1)  # what a crawl does not meet was last met before it began
            await scene.resync("P1")
            await until(lambda: frozenset[str]().union(*told()[1:]) == {"L2", "L3", "L4"})

            # What is pushed is a message, and is watched as one.
            before = len(reader.told)
            await put_location(world, "L9")
            own(scene, "L9")
            await scene.resync("P1")
            assert len(reader.told) == before

            own(scene, "POISON")
            await scene.resync("P1")
            await until(lambda: failures(hub, "reader", "raised") == 1)
            own(scene, "L5")
            await scene.resync("P1")
            await until(lambda: told()[-1] == {"L5"})


def test_what_waits_is_bounded_and_comes_together() -> None:
    news = CatalogNews()
    other = PartyId("NL", "CPB")
    many = [f"L{number}" for number in range(MOST_NAMED)]
    news.changed(names.LOCATIONS, CPA, ["L1"])
    news.changed(names.LOCATIONS, PartyId("nl", "cpa"), ["L2", "L1"])
    news.changed(names.TARIFFS, CPA, [])
    news.changed(names.LOCATIONS, other, many)
    assert news.taken() == [
        CatalogChange(names.LOCATIONS, CPA, frozenset({"L1", "L2"})),
        CatalogChange(names.LOCATIONS, other, frozenset(many)),
    ]
    assert news.taken() == []
    news.changed(names.LOCATIONS, other, ["ONE"])
    news.changed(names.LOCATIONS, other, many)
    news.changed(names.LOCATIONS, other, ["TWO"])
    assert news.taken() == [CatalogChange(names.LOCATIONS, other, None)]
