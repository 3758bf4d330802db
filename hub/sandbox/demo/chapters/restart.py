"""A restart of the hub in the middle of the work: nothing that was agreed is lost."""

from hub.ocpi import names
from hub.ocpi.names import ConnectionStatus, Interface
from hub.sandbox import objects
from hub.sandbox.demo.asking import ask, reported, result_of
from hub.sandbox.demo.chapters.locations import STATION
from hub.sandbox.demo.chapters.pages import PAGE
from hub.sandbox.demo.step import Step
from hub.sandbox.demo.story import HUB, Story

TITLE = "The hub restarts"
ABOUT = (
    "A command is under way and Echo has read half a list when the hub stops and starts again on the same file. Nobody "
    "registers anew."
)


async def play(story: Story) -> None:
    cast = story.cast
    question = await ask(
        story,
        "POST",
        names.COMMANDS,
        "START_SESSION",
        by=cast.delta,
        to=cast.alpha,
        body=lambda url: objects.start_session(url, driver=str(cast.delta.party)),
        name="POST START_SESSION",
    )
    await story.tell(question.message, "Alpha says it will try", body=question.arrived_body)
    page = await story.send("GET", names.CDRS, Interface.SENDER, by=cast.echo, to=cast.bravo)
    link = page.answer.next_url
    await story.tell(page, "ten of 25, and a link", checks={"there is a link": link is not None})

    await _restart(story)

    read = await story.send("GET", names.LOCATIONS, Interface.SENDER, STATION, by=cast.delta, to=cast.alpha)
    await story.tell(read, "all tokens still work")
    following = await story.send(
        "GET", names.CDRS, Interface.SENDER, by=cast.echo, to=cast.bravo, url=link, name=f"GET {names.CDRS}, page 2"
    )
    rows = following.answer.data if isinstance(following.answer.data, list) else []
    await story.tell(
        following,
        "the link still works",
        checks={"it is the second page": [row["id"] for row in rows][:1] == [f"BILL{PAGE + 1:02}"]},
    )
    home = await result_of(story, question)
    await story.tell(
        home,
        f"{reported(home)}, arrived at Delta",
        checks={"it is ACCEPTED": reported(home) == "ACCEPTED"},
    )


async def _restart(story: Story) -> None:
    platforms = story.cast.platforms
    said_before = [len(platform.received.of(names.CREDENTIALS)) for platform in platforms]
    started_s = story.now_s()
    await story.hub.restart()
    ended_s = story.now_s()
    connected = {one.name for one in story.hub.registered() if one.status == ConnectionStatus.CONNECTED}
    still = [platform for platform in platforms if platform.name in connected]
    problems = []
    if len(still) != len(platforms):
        problems.append("every platform should still be CONNECTED")
    if [len(platform.received.of(names.CREDENTIALS)) for platform in platforms] != said_before:
        problems.append("no platform should have been asked to register again")
    await story.add(
        Step(
            (HUB,),
            "stop and start",
            "",
            f"{len(still)} platforms still registered",
            ended_s - started_s,
            problems=tuple(problems),
        )
    )
