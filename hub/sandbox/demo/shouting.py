"""Messages for everybody: pushed to the hub once, seen to arrive at each receiver."""

from collections.abc import Sequence
from dataclasses import replace

from hub.ocpi import codec
from hub.ocpi.names import Interface
from hub.ocpi.party_id import PartyId
from hub.sandbox.demo.cast import Player
from hub.sandbox.demo.message import Arrival, Message
from hub.sandbox.demo.story import Story

ARRIVAL_TIMEOUT_S = 3.0
HUB_PARTY = PartyId("NL", "HUB")


async def broadcast(
    story: Story, method: str, module: str, tail: str, *, by: Player, receivers: Sequence[Player], body: object | None
) -> Message:
    """Pushes to the hub and waits until every receiver has its leg, or the time is up."""
    known = {player.name: _count(player, method, module, tail) for player in receivers}
    sent = await story.send(
        method, module, Interface.RECEIVER, tail, by=by, to=HUB_PARTY, body=body, name=f"{method} {module} to all"
    )
    if not sent.answer.ok:
        return sent
    arrivals = []
    for player in receivers:
        try:
            request = await player.platform.received.wait_for(
                module,
                Interface.RECEIVER,
                method,
                tail,
                count=known[player.name] + 1,
                timeout_s=ARRIVAL_TIMEOUT_S,
            )
        except TimeoutError:
            continue
        arrivals.append(Arrival(player.platform, request))
    return replace(sent, arrivals=tuple(arrivals))


def everybody_has_it(message: Message, receivers: Sequence[Player], body: object | None) -> bool:
    """Whether each receiver got exactly what was sent, FROM the hub."""
    content = b"" if body is None else codec.dumps(body)
    return len(message.arrivals) == len(receivers) and all(
        arrival.request.body == content and arrival.request.sender == HUB_PARTY and arrival.request.to == player.party
        for arrival, player in zip(message.arrivals, receivers, strict=True)
    )


def _count(player: Player, method: str, module: str, tail: str) -> int:
    return len(player.platform.received.of(module, Interface.RECEIVER, method, tail))
