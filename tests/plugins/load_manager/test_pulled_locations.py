"""Locations that the hub reads from a CPO's list count like those that are pushed."""

from decimal import Decimal

from hub.ocpi.names import LOCATIONS
from hub.sandbox import objects
from hub.sandbox.book import Object
from tests.plugins.load_manager.area import Area, area


def offered(a: Area, *amperes: int) -> Object:
    """The CPO has a location with EVSEs of so many amperes, and says so when it is asked."""
    body = objects.location("NL/CPO", evses=len(amperes), last_updated=a.now)
    for evse, each in zip(body["evses"], amperes, strict=True):
        evse["connectors"][0]["max_amperage"] = each
    a.b.cpo.own.put(LOCATIONS, body)
    return body


async def read(a: Area) -> None:
    """The hub reads the CPO's list now."""
    platforms = (await a.admin("GET", "/platforms"))["items"]
    at = next(one["id"] for one in platforms if one["name"] == "cpo")
    await a.b.clock.jump(1)
    await a.admin("PATCH", f"/platforms/{at}", {"pull": {"locations": 86_400}})
    await a.admin("POST", f"/platforms/{at}/resync")
    await a.b.settle()


async def test_what_a_list_says_of_a_connector_counts_at_once_and_what_is_gone_does_not() -> None:
    async with area() as a:
        await a.consent()
        await a.group(20)
        await a.sessions(2)
        await a.wait(10)
        assert a.told() == {}  # nobody knows what these EVSEs are
        offered(a, 16, 16)
        await read(a)
        await a.wait(10)
        assert a.told() == {"S1": Decimal("14.4"), "S2": Decimal("14.4")}

        await a.wait(120)
        # The first EVSE turns out to have a smaller connector: the other car has what it leaves.
        body = offered(a, 8, 32)
        await read(a)
        await a.wait(10)
        assert a.told()["S2"] == Decimal("20.9")

        lead = a.b.plugin.node.lead
        assert lead is not None
        a.b.cpo.own.remove(LOCATIONS, body)
        await read(a)
        await a.wait(10)
        assert list(lead.scene.known.evses.evses()) == []
