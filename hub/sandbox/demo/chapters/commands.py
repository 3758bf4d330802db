"""Commands: all five of them, each with its result."""

from collections.abc import Callable
from datetime import timedelta

from hub.clock import SystemClock
from hub.ocpi import names
from hub.sandbox import objects
from hub.sandbox.demo.asking import ask, reported, result_of
from hub.sandbox.demo.story import Story
from hub.sandbox.objects import Object

TITLE = "Commands"
ABOUT = (
    "An eMSP asks a CPO to do something. The CPO says at once that it will, and reports the result when the charge "
    "point has done it, to a URL the eMSP named. The hub puts a URL of its own there and brings the result home."
)


async def play(story: Story) -> None:
    alpha, delta = story.cast.alpha, story.cast.delta
    for number, (command, body) in enumerate(_commands(str(delta.party)).items()):
        question = await ask(
            story, "POST", names.COMMANDS, command, by=delta, to=alpha, body=body, name=f"POST {command}"
        )
        verdict = (question.message.answer.data or {}).get("result")
        urls = (
            f"the eMSP's URL: {question.own_url}",
            f"the hub's URL:  {question.given_url}",
        )
        await story.tell(
            question.message,
            "Alpha says it will try",
            body=question.arrived_body,
            checks={"Alpha says ACCEPTED": verdict == "ACCEPTED", "the hub's URL is in it": question.led_through},
            details=urls if number == 0 else (),
        )
        home = await result_of(story, question)
        word = reported(home)
        await story.tell(home, f"{word}, arrived at Delta", checks={"it is ACCEPTED": word == "ACCEPTED"})


def _commands(driver: str) -> dict[str, Callable[[str], Object]]:
    """What makes the body of each command around its `response_url`."""
    until = SystemClock().now() + timedelta(hours=1)
    return {
        "RESERVE_NOW": lambda url: objects.reserve_now(url, driver=driver, expiry_date=until),
        "CANCEL_RESERVATION": objects.cancel_reservation,
        "START_SESSION": lambda url: objects.start_session(url, driver=driver),
        "STOP_SESSION": objects.stop_session,
        "UNLOCK_CONNECTOR": objects.unlock_connector,
    }
