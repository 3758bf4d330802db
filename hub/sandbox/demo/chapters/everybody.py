"""Broadcast push: said once to the hub, known by all who may know."""

from hub.ocpi import names
from hub.sandbox import objects
from hub.sandbox.demo.shouting import broadcast, everybody_has_it
from hub.sandbox.demo.story import Story

TITLE = "Told once, known by all"
ABOUT = (
    "A CPO pushes a new station to the hub itself. The hub keeps it, answers at once, and tells every eMSP; one that "
    "never heard of a station gets it whole as soon as it changes."
)

HARBOUR = "HARBOUR1"
PRICE = "T-HARBOUR"
_LATER = "2026-01-01T12:05:00Z"


async def play(story: Story) -> None:
    cast = story.cast
    alpha, delta, echo = cast.alpha, cast.delta, cast.echo
    both = (delta, echo)
    harbour = objects.location(str(alpha.party), HARBOUR, evses=2)
    alpha.platform.own.put(names.LOCATIONS, harbour)
    tail = f"{alpha.path}/{HARBOUR}"
    told = await broadcast(story, "PUT", names.LOCATIONS, tail, by=alpha, receivers=both, body=harbour)
    await story.tell(
        told,
        "a new station: kept, and told to Delta and Echo",
        http=201,
        checks={"Delta and Echo got exactly that, FROM the hub": everybody_has_it(told, both, harbour)},
    )
    lost = echo.platform.held.find(names.LOCATIONS, alpha.party, HARBOUR)
    if lost is not None:
        echo.platform.held.remove(names.LOCATIONS, lost)
    change = {"status": "CHARGING", "last_updated": _LATER}
    changed = await broadcast(story, "PATCH", names.LOCATIONS, f"{tail}/E1", by=alpha, receivers=both, body=change)
    if changed.answer.ok:
        await echo.platform.received.wait_for(names.LOCATIONS, None, "PUT", tail, count=2)
    held = echo.platform.held.find(names.LOCATIONS, alpha.party, HARBOUR) or {}
    await story.tell(
        changed,
        "a car plugs in; Echo had lost the station and gets it whole",
        checks={
            "Delta and Echo were told of the change": everybody_has_it(changed, both, change),
            "Echo has the station as it is now": held.get("last_updated") == _LATER,
        },
    )
    price = objects.tariff(str(alpha.party), PRICE)
    tariff_tail = f"{alpha.path}/{PRICE}"
    told = await broadcast(story, "PUT", names.TARIFFS, tariff_tail, by=alpha, receivers=both, body=price)
    await story.tell(told, "its price", http=201, checks={"both have the price": everybody_has_it(told, both, price)})
    withdrawn = await broadcast(story, "DELETE", names.TARIFFS, tariff_tail, by=alpha, receivers=both, body=None)
    await story.tell(
        withdrawn,
        "withdrawn everywhere",
        checks={"nobody has it any more": not delta.platform.held.find(names.TARIFFS, alpha.party, PRICE)},
    )
    wrong = await broadcast(story, "PUT", names.LOCATIONS, f"{alpha.path}/OTHER", by=alpha, receivers=(), body=harbour)
    await story.tell(wrong, "the path says OTHER, the body does not: told to nobody", code=2001, arrives=False)
