"""Open routing: the hub finds the receiver by what the message says."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.demo.chapters.everybody import HARBOUR
from hub.sandbox.demo.chapters.tokens import CARD
from hub.sandbox.demo.message import Message
from hub.sandbox.demo.story import Story

TITLE = "No address needed"
ABOUT = "Nobody has to know whose a card or a station is: without a receiver, the hub finds it by the content."


async def play(story: Story) -> None:
    cast = story.cast
    asked = await story.send(
        "POST", names.TOKENS, Interface.SENDER, f"{CARD}/authorize", by=cast.alpha, name="POST authorize"
    )
    await story.tell(
        asked, "whose card is this? Delta's: ALLOWED", checks={"Delta was asked": _reached(asked, "Delta Drive")}
    )
    read = await story.send("GET", names.LOCATIONS, Interface.SENDER, HARBOUR, by=cast.delta)
    await story.tell(
        read,
        "whose station is this? Alpha's",
        checks={"Alpha was asked": _reached(read, "Alpha Charge")},
    )
    bill = objects.cdr(str(cast.alpha.party), "CDR-OPEN", driver=str(cast.echo.party))
    posted = await story.send("POST", names.CDRS, Interface.RECEIVER, by=cast.alpha, body=bill)
    await story.tell(
        posted,
        "a bill goes to whose card it names: Echo",
        http=201,
        checks={"Echo got the bill": _reached(posted, "Echo Drive")},
    )
    unknown = await story.send(
        "POST", names.TOKENS, Interface.SENDER, "NOBODYS/authorize", by=cast.alpha, name="POST authorize"
    )
    await story.tell(unknown, "a card nobody has told of", code=4001, arrives=False)


def _reached(message: Message, platform: str) -> bool:
    return [arrival.platform.name for arrival in message.arrivals] == [platform]
