"""When something goes wrong: every failure has its own answer, and nobody else notices."""

import asyncio
from statistics import median

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.sandbox.demo.chapters.locations import STATION
from hub.sandbox.demo.chapters.parties import ask_who_is_there, statuses
from hub.sandbox.demo.message import Message
from hub.sandbox.demo.step import Step
from hub.sandbox.demo.story import HUB, Story

TITLE = "When something goes wrong"
ABOUT = (
    "A party nobody knows (4001), a false sender, a platform that is too slow (4002) or switched off (4003): the hub "
    "says which it was, and after three failures it lists a platform as OFFLINE."
)

UNDISTURBED = 20
# The hub counts failures this far apart, and after three of them holds a platform for OFFLINE.
BETWEEN_FAILURES_S = 0.03
FAILURES = 3
# Nobody comes back at once; by then the hub has stored that the platform is OFFLINE.
STAYS_OFF_S = 0.25


async def play(story: Story) -> None:
    await _strangers(story)
    await _slow(story)
    await _down(story)


async def _read_station_of(story: Story, party: PartyId) -> Message:
    return await story.send("GET", names.LOCATIONS, Interface.SENDER, STATION, by=story.cast.delta, to=party)


async def _strangers(story: Story) -> None:
    unknown = await _read_station_of(story, PartyId("XX", "ZZZ"))
    await story.tell(unknown, "XX/ZZZ: nobody knows it", code=4001, arrives=False)
    spoofed = await story.send(
        "GET",
        names.LOCATIONS,
        Interface.SENDER,
        STATION,
        by=story.cast.delta,
        to=story.cast.alpha,
        sender=story.cast.echo.party,
    )
    await story.tell(spoofed, "Delta poses as Echo: refused", http=403, code=2001, arrives=False)


async def _slow(story: Story) -> None:
    """While one platform does not answer, others are as fast as before."""
    alpha, bravo, delta, echo = story.cast.alpha, story.cast.bravo, story.cast.delta, story.cast.echo
    silence = bravo.platform.faults.on(names.LOCATIONS, Interface.SENDER).hang()
    waiting = asyncio.create_task(story.send("GET", names.LOCATIONS, Interface.SENDER, STATION, by=echo, to=bravo))
    try:
        others = [
            await story.send("GET", names.LOCATIONS, Interface.SENDER, STATION, by=delta, to=alpha)
            for _ in range(UNDISTURBED)
        ]
        still_waiting = not waiting.done()
        slow = await waiting
    finally:
        waiting.cancel()
        bravo.platform.faults.remove(silence)
    await story.tell(slow, "Bravo takes too long", code=4002, checks={"the hub waited for Bravo": still_waiting})
    problems = [problem for one in others for problem in one.problems(200, 1000, arrives=True, body=None)]
    await story.add(
        Step(
            (delta.name, HUB, alpha.name),
            f"{UNDISTURBED} x GET {names.LOCATIONS}",
            "200/1000" if not problems else "",
            "meanwhile, as fast as ever",
            median(one.total_s for one in others),
            median(one.there_s or 0.0 for one in others),
            tuple(problems[:1]),
        )
    )


async def _down(story: Story) -> None:
    bravo, delta, echo = story.cast.bravo, story.cast.delta, story.cast.echo
    await bravo.platform.go_dark()
    try:
        for _ in range(FAILURES):
            refused = await story.send("GET", names.LOCATIONS, Interface.SENDER, STATION, by=echo, to=bravo)
            await story.tell(refused, "Bravo is switched off", code=4003, arrives=False)
            await story.pause(BETWEEN_FAILURES_S)
        listed = await ask_who_is_there(story, delta)
        await story.tell(
            listed,
            "now listed as OFFLINE",
            arrives=False,
            checks={"Bravo is listed as OFFLINE": statuses(listed, bravo.party) == {"OFFLINE"}},
        )
        await story.pause(STAYS_OFF_S)
    finally:
        await bravo.platform.come_back()
    first_word = await ask_who_is_there(story, bravo)
    listed = await ask_who_is_there(story, delta)
    await story.tell(
        first_word,
        "Bravo is back: CONNECTED",
        arrives=False,
        checks={"Bravo is listed as CONNECTED": statuses(listed, bravo.party) == {"CONNECTED"}},
    )
    again = await story.send("GET", names.LOCATIONS, Interface.SENDER, STATION, by=echo, to=bravo)
    await story.tell(again, "and answers as before")
