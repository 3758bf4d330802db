"""GET ALL: one list out of everything that was meant for everybody."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.demo.chapters.everybody import HARBOUR
from hub.sandbox.demo.shouting import HUB_PARTY, broadcast, everybody_has_it
from hub.sandbox.demo.story import Story

TITLE = "One list of everything"
ABOUT = (
    "An eMSP asks the hub for all stations, whoever owns them, page by page. What one party told another alone is not "
    "in it."
)

BRIDGE = "BRIDGE1"


async def play(story: Story) -> None:
    cast = story.cast
    bridge = objects.location(str(cast.bravo.party), BRIDGE)
    both = (cast.delta, cast.echo)
    told = await broadcast(
        story, "PUT", names.LOCATIONS, f"{cast.bravo.path}/{BRIDGE}", by=cast.bravo, receivers=both, body=bridge
    )
    await story.tell(told, "Bravo has news too", http=201, checks={"both got it": everybody_has_it(told, both, bridge)})
    listed = await story.send(
        "GET", names.LOCATIONS, Interface.SENDER, by=cast.echo, to=HUB_PARTY, query="limit=1", name="GET all locations"
    )
    found = [one["id"] for one in listed.answer.data or []]
    await story.tell(
        listed,
        f"page 1: {', '.join(found)}",
        arrives=False,
        checks={
            "it holds Alpha's station, and says where to go on": found == [HARBOUR] and bool(listed.answer.next_url)
        },
    )
    following = await story.send(
        "GET", names.LOCATIONS, Interface.SENDER, by=cast.echo, url=listed.answer.next_url, name="GET next page"
    )
    found = [one["id"] for one in following.answer.data or []]
    await story.tell(
        following,
        f"page 2: {', '.join(found)}",
        arrives=False,
        checks={"it holds Bravo's station, exactly as pushed, and is the last": following.answer.data == [bridge]},
    )
    bills = await story.send("GET", names.CDRS, Interface.SENDER, by=cast.echo, to=HUB_PARTY, name="GET all cdrs")
    await story.tell(bills, "bills are for those they concern", code=2001, arrives=False)
