"""Requests whose real answer comes later: the question with its `response_url`, and the result on its way home."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from hub.ocpi import codec
from hub.ocpi.names import Interface
from hub.sandbox.answer import Answer
from hub.sandbox.demo.cast import Player
from hub.sandbox.demo.message import Arrival, Message
from hub.sandbox.demo.story import Story
from hub.sandbox.endpoints import CALLBACK
from hub.sandbox.objects import Object

RESULT_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked. `own_url` is where the asking platform wants the result, `given_url` what the receiver was told.

    `arrived_body` is the body the receiver should have got: the same bytes with the one URL replaced by the other.
    `led_through` says whether the URL it was told is one of the hub.
    """

    message: Message
    result_tail: str
    own_url: str
    given_url: str | None
    arrived_body: bytes | None
    led_through: bool


async def ask(
    story: Story,
    method: str,
    module: str,
    tail: str,
    *,
    by: Player,
    to: Player,
    body: Callable[[str], Object] | None = None,
    query: str = "",
    name: str | None = None,
) -> Question:
    """Asks a CPO. `body` makes the body around a `response_url`; without it the URL stands in the query."""
    result_tail = f"{method.lower()}-{tail.lower()}"
    own_url = by.platform.callback_url(result_tail)
    content = None if body is None else codec.dumps(body(own_url))
    if body is None:
        query = "&".join(part for part in (query, f"response_url={quote(own_url, safe='')}") if part)
    message = await story.send(
        method, module, Interface.RECEIVER, tail, by=by, to=to, body=content, query=query, name=name
    )
    given_url = message.request.response_url if message.request is not None else None
    arrived_body = None
    if content is not None and given_url is not None:
        arrived_body = content.replace(own_url.encode(), given_url.encode())
    led_through = given_url is not None and given_url.startswith(f"{story.hub.url}/")
    return Question(message, result_tail, own_url, given_url, arrived_body, led_through)


async def result_of(story: Story, question: Question) -> Message:
    """Lets the CPO send its result to the URL it was given, and sees it arrive at who had asked."""
    asked = question.message
    if asked.to is None:
        raise ValueError("a question goes to a player")
    operator, issuer = asked.to, asked.by
    desk = operator.platform.results
    sent_before = len(desk.sent)
    known = len(issuer.platform.received.of(CALLBACK, tail=question.result_tail))
    started_s = story.now_s()
    if desk.owed:
        desk.release()
        answer = await desk.wait_sent(sent_before + 1, RESULT_TIMEOUT_S)
    else:
        answer = Answer("POST", "", 0, {}, b"", 0.0, failure=f"{operator.name} owes no result")
    came = issuer.platform.received.of(CALLBACK, tail=question.result_tail)[known:]
    return Message(
        by=operator,
        to=issuer,
        name="POST result",
        method="POST",
        tail=question.result_tail,
        body=came[0].body if came else None,
        answer=answer,
        arrivals=tuple(Arrival(issuer.platform, request) for request in came),
        started_s=started_s,
        ended_s=story.now_s(),
    )


def reported(home: Message) -> str | None:
    """The word a result came home with, such as ACCEPTED."""
    data = home.request.data if home.request is not None else None
    word = data.get("result") if isinstance(data, dict) else None
    return word if isinstance(word, str) else None
