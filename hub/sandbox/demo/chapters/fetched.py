"""Pulls: what a CPO never pushes, the hub fetches."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox.demo.shouting import HUB_PARTY
from hub.sandbox.demo.step import Step
from hub.sandbox.demo.story import HUB, Story

TITLE = "Fetched by the hub"
ABOUT = (
    "Bravo answers questions but never pushes its stations. With its consent the hub fetches them on a schedule, and "
    "everybody has them; while the first round runs, none of them shows."
)


async def play(story: Story) -> None:
    cast = story.cast
    bravo = cast.bravo.platform
    own = sum(len(bravo.own.all(names.LOCATIONS, party)) for party in bravo.parties)
    before = len(bravo.received)
    problem = await story.hub.pull(bravo.name, names.LOCATIONS)
    asked = [
        request
        for request in list(bravo.received)[before:]
        if request.module == names.LOCATIONS and request.sender == HUB_PARTY
    ]
    told = {request.tail for request in cast.delta.platform.received.of(names.LOCATIONS, Interface.RECEIVER, "PUT")}
    problems = [problem] if problem else []
    if {str(request.to) for request in asked} != {str(party) for party in bravo.parties}:
        problems.append("the hub should have asked each of Bravo's three parties")
    if not any(tail.startswith(cast.bravo_at.path) for tail in told):
        problems.append("Delta should have been told of the station in Austria")
    await story.add(
        Step(
            (HUB, cast.bravo.name),
            f"{len(asked)} x GET {names.LOCATIONS}",
            "",
            f"{own} stations of three parties fetched, and told",
            problems=tuple(problems),
        )
    )
    listed = await story.send(
        "GET", names.LOCATIONS, Interface.SENDER, by=cast.echo, to=HUB_PARTY, name="GET all locations"
    )
    owners = [f"{one['country_code']}/{one['party_id']}" for one in listed.answer.data or []]
    expected = {str(party) for party in bravo.parties}
    await story.tell(
        listed,
        f"{len(owners)} stations, three of them new to Echo",
        arrives=False,
        checks={"stations of all three of Bravo's parties are in the list": expected <= set(owners)},
    )
