"""Telling the whole story once: opening, chapters, summary, within a limit of time."""

import asyncio

from hub.sandbox.demo.cast import Cast
from hub.sandbox.demo.chapters import CHAPTERS
from hub.sandbox.demo.hub import Hub
from hub.sandbox.demo.screen import Screen
from hub.sandbox.demo.step import Step
from hub.sandbox.demo.story import Story

LIMIT_S = 50.0


async def tell(hub: Hub, cast: Cast, screen: Screen, *, log: str, pace_s: float = 0.0) -> bool:
    """Tells the story to a running hub and a started cast; True when every step did what it should.

    `log` says where the hub's log is, for the case that something failed; `pace_s` passes after every step.
    """
    story = Story(hub, cast, screen, pace_s=pace_s)
    started_s = story.now_s()
    screen.opening(hub, cast)
    try:
        async with asyncio.timeout(LIMIT_S):
            for title, about, play in CHAPTERS:
                await story.chapter(title, about, play)
    except TimeoutError:
        await story.add(Step((), "", "", "", problems=(f"the story took longer than {LIMIT_S:.0f} s",)))
    screen.summary(story.chapters, story.now_s() - started_s, log=log)
    return story.passed
