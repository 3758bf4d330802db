"""Agreements: an operator says who may speak to whom about what."""

from hub.domain.agreements import Agreement, Side
from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox.demo.chapters.everybody import HARBOUR
from hub.sandbox.demo.shouting import HUB_PARTY, broadcast, everybody_has_it
from hub.sandbox.demo.story import Story

TITLE = "Who may speak to whom"
ABOUT = "The operator ends the agreement between Alpha and Echo about stations: directly, in broadcasts and in lists."

_ID = "alpha-echo"


async def play(story: Story) -> None:
    cast = story.cast
    alpha, delta, echo = cast.alpha, cast.delta, cast.echo
    here, there = (Side(one.party.country_code, one.party.party_id) for one in (alpha, echo))
    about = frozenset({names.LOCATIONS})
    for number, (origin, target) in enumerate(((here, there), (there, here))):
        await story.hub.set_agreement(Agreement(f"{_ID}-{number}", origin, target, about, allow=False))
    try:
        await _apart(story)
    finally:
        for number in range(2):
            await story.hub.remove_agreement(f"{_ID}-{number}")
    change = {"status": "AVAILABLE", "last_updated": "2026-01-01T12:20:00Z"}
    told = await broadcast(
        story,
        "PATCH",
        names.LOCATIONS,
        f"{alpha.path}/{HARBOUR}/E1",
        by=alpha,
        receivers=(delta, echo),
        body=change,
    )
    await story.tell(
        told, "agreed again: both are told", checks={"both were told": everybody_has_it(told, (delta, echo), change)}
    )


async def _apart(story: Story) -> None:
    cast = story.cast
    alpha, delta, echo = cast.alpha, cast.delta, cast.echo
    refused = await story.send("GET", names.LOCATIONS, Interface.SENDER, HARBOUR, by=echo, to=alpha)
    await story.tell(refused, "Echo may not ask Alpha", code=4001, arrives=False)
    known = len(echo.platform.received)
    change = {"status": "BLOCKED", "last_updated": "2026-01-01T12:15:00Z"}
    tail = f"{alpha.path}/{HARBOUR}/E1"
    told = await broadcast(story, "PATCH", names.LOCATIONS, tail, by=alpha, receivers=(delta,), body=change)
    await story.tell(
        told,
        "Delta is told, Echo is not",
        checks={
            "Delta was told": everybody_has_it(told, (delta,), change),
            "Echo was not": len(echo.platform.received) == known,
        },
    )
    listed = await story.send("GET", names.LOCATIONS, Interface.SENDER, by=echo, to=HUB_PARTY, name="GET all locations")
    owners = {one["party_id"] for one in listed.answer.data or []}
    await story.tell(
        listed,
        "Alpha's stations are not in Echo's list",
        arrives=False,
        checks={"only Bravo's are": owners == {cast.bravo.party.party_id}},
    )
