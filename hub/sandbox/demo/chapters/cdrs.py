"""CDRs: the bill of a session, and finding it again where the receiver put it, through the hub."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.demo.story import Story

TITLE = "CDRs"
ABOUT = (
    "The CPO posts the bill of a session. The eMSP says where it keeps it; the hub turns that into a URL of its own."
)

CDR = "CDR1"


async def play(story: Story) -> None:
    alpha, delta = story.cast.alpha, story.cast.delta
    cdr = objects.cdr(str(alpha.party), CDR, driver=str(delta.party))
    posted = await story.send("POST", names.CDRS, Interface.RECEIVER, by=alpha, to=delta, body=cdr)
    location = posted.answer.location
    await story.tell(
        posted,
        "15.3420 kWh, kept by Delta",
        http=201,
        checks={
            "Delta keeps the CDR": delta.platform.held.find(names.CDRS, alpha.party, CDR) is not None,
            "its Location is a URL of the hub": (location or "").startswith(story.hub.url),
        },
        details=[f"the hub's URL:  {location}"],
    )
    if location is None:
        return
    read = await story.send("GET", "", None, by=alpha, to=delta, url=location, name=f"GET {names.CDRS}")
    asked_at = "" if read.request is None else f"{delta.platform.base_url}{read.request.target}"
    own_url = delta.platform.url(names.CDRS, Interface.RECEIVER)
    await story.tell(
        read,
        "at that URL: the same CDR",
        checks={
            "it is the same CDR": read.answer.data == cdr,
            "Delta was asked at its own URL": asked_at.startswith(own_url),
        },
        details=[f"the eMSP's URL: {asked_at}"],
    )
