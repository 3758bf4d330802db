"""Charging profiles: set, read, pushed and cleared, with their results."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.demo.asking import Question, ask, reported, result_of
from hub.sandbox.demo.message import Message
from hub.sandbox.demo.story import Story

TITLE = "Charging profiles"
ABOUT = "A smart charging provider limits a session at Alpha to 16 A, asks what is in force, and lifts the limit again."

SESSION = "S1"


async def play(story: Story) -> None:
    alpha, sierra = story.cast.alpha, story.cast.sierra
    applied = alpha.platform.profiles.applied
    home = await _ask(story, "PUT", "set 16 A: Alpha will try")
    await _tell_result(story, home, "ACCEPTED, 16 A it is", SESSION in applied, "Alpha applies the profile")

    home = await _ask(story, "GET", "which limit? Alpha will say")
    found = _limit(home.request.data.get("profile")) if home.request is not None else None
    await _tell_result(story, home, f"ACCEPTED, {found} A for 900 s", found == "16.0", "the profile says 16.0 A")

    pushed = await story.send(
        "PUT",
        names.CHARGING_PROFILES,
        Interface.SENDER,
        SESSION,
        by=alpha,
        to=sierra,
        body=objects.active_charging_profile("10.0"),
    )
    learned = _limit(sierra.platform.profiles.active.get(SESSION))
    await story.tell(pushed, "Alpha reports 10 A, unasked", checks={"Sierra learned the 10.0 A": learned == "10.0"})

    home = await _ask(story, "DELETE", "clear it: Alpha will try")
    await _tell_result(story, home, "ACCEPTED, the limit is gone", SESSION not in applied, "Alpha applies none")


async def _ask(story: Story, method: str, outcome: str) -> Message:
    """Sierra's request, told of; returns its result on the way home."""
    question: Question = await ask(
        story,
        method,
        names.CHARGING_PROFILES,
        SESSION,
        by=story.cast.sierra,
        to=story.cast.alpha,
        body=objects.set_charging_profile if method == "PUT" else None,
        query="duration=900" if method == "GET" else "",
    )
    verdict = (question.message.answer.data or {}).get("result")
    await story.tell(
        question.message,
        outcome,
        body=question.arrived_body,
        checks={"Alpha says ACCEPTED": verdict == "ACCEPTED", "the hub's URL is in it": question.led_through},
    )
    return await result_of(story, question)


async def _tell_result(story: Story, home: Message, outcome: str, holds: bool, claim: str) -> None:
    await story.tell(home, outcome, checks={"it is ACCEPTED": reported(home) == "ACCEPTED", claim: holds})


def _limit(active: object) -> str | None:
    """The first limit of an ActiveChargingProfile, in ampere."""
    profile = active.get("charging_profile") if isinstance(active, dict) else None
    periods = profile.get("charging_profile_period") if isinstance(profile, dict) else None
    return str(periods[0]["limit"]) if periods else None
