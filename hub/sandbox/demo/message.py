"""One message of the story: what was sent, what came back, where it arrived, and what is not as it should be."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hub.ocpi import headers
from hub.sandbox.answer import Answer
from hub.sandbox.demo.cast import Player
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.received import Received


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request that reached a platform."""

    platform: SandboxPlatform
    request: Received


@dataclass(frozen=True, slots=True)
class Message:
    """A message from one player to another (`to` None: to the hub itself or to nobody). Times are monotonic seconds.

    `arrivals` holds every request that any platform got because of it. `tail` is None when the receiver's path is not
    the one that was sent.
    """

    by: Player
    to: Player | None
    name: str
    method: str
    tail: str | None
    body: bytes | None = field(repr=False)
    answer: Answer
    arrivals: tuple[Arrival, ...]
    started_s: float
    ended_s: float

    @property
    def request(self) -> Received | None:
        """The request as the receiver got it."""
        return self.arrivals[0].request if self.arrivals else None

    @property
    def total_s(self) -> float:
        return self.ended_s - self.started_s

    @property
    def there_s(self) -> float | None:
        """From the sender's first byte to the receiver's reading of the last one; None when it did not arrive, or after
        the answer only.
        """
        request = self.request
        return request.at_s - self.started_s if request is not None and request.at_s <= self.ended_s else None

    def problems(self, http: int, code: int, *, arrives: bool, body: bytes | None) -> Iterator[str]:
        """What is not as it should be: the answer on both layers, and the request at the receiver."""
        if self.answer.failure is not None:
            yield f"there was no answer: {self.answer.failure}"
        elif (self.answer.status, self.answer.status_code) != (http, code):
            said = f" ({self.answer.status_message})" if self.answer.status_message else ""
            yield f"expected HTTP {http} and OCPI {code}{said}"
        if not arrives:
            reached = ", ".join(arrival.platform.name for arrival in self.arrivals)
            if reached:
                yield f"nobody should have got this, but {reached} did"
        elif self.to is not None:
            yield from self._at_the_receiver(self.to, body)

    def _at_the_receiver(self, to: Player, body: bytes | None) -> Iterator[str]:
        if [arrival.platform for arrival in self.arrivals] != [to.platform]:
            yield f"{to.name} should have got this exactly once, and nobody else"
        request = self.request
        if request is None:
            return
        if (request.to, request.sender) != (to.party, self.by.party):
            yield f"it arrived as from {request.sender} to {request.to}"
        if request.method != self.method or (self.tail is not None and request.tail != self.tail):
            yield f"it arrived as {request.method} {request.tail}"
        if request.body != (body or b""):
            yield "the body changed on the way"
        if request.headers.get(headers.AUTHORIZATION) is None:
            yield "it arrived without the hub's token"


def status_text(answer: Answer) -> str:
    """Both layers of an answer, such as `200/1000`."""
    if answer.failure is not None:
        return "none"
    return f"{answer.status}/{answer.status_code if answer.status_code is not None else '-'}"
