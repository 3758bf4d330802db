"""An outage: a CPO goes dark, everybody is told, and one GET brings it back in sync."""

from contextlib import suppress

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.demo.cast import Player
from hub.sandbox.demo.chapters.trouble import BETWEEN_FAILURES_S, FAILURES, STAYS_OFF_S
from hub.sandbox.demo.shouting import ARRIVAL_TIMEOUT_S, HUB_PARTY, broadcast
from hub.sandbox.demo.step import Step
from hub.sandbox.demo.story import HUB, Story

TITLE = "An outage"
ABOUT = (
    "A CPO goes dark. All are told, nothing is queued for it, and life goes on. When it is back, all are told once "
    "more, and one GET gives it exactly what it missed."
)

_BEFORE, _AFTER = "2026-01-01T13:00:00Z", "2026-01-01T14:00:00Z"


async def play(story: Story) -> None:
    cast = story.cast
    alpha, delta = cast.alpha, cast.delta
    await _tell_of_card(story, "CARD-OLD", _BEFORE, (alpha, cast.bravo), "all CPOs know a card")
    heard = {player.name: len(_told(player, alpha)) for player in (delta, cast.echo)}
    await alpha.platform.go_dark()
    try:
        for _ in range(FAILURES):
            await story.send("GET", names.LOCATIONS, Interface.SENDER, "X", by=delta, to=alpha)
            await story.pause(BETWEEN_FAILURES_S)
        await _everybody_hears(story, heard, ("OFFLINE",), "Alpha is dark: all are told")
        card = objects.token(str(delta.party), "CARD-DIRECT")
        refused = await story.send(
            "PUT", names.TOKENS, Interface.RECEIVER, f"{delta.path}/CARD-DIRECT", by=delta, to=alpha, body=card
        )
        await story.tell(refused, "not delivered, and Delta knows it", code=4003, arrives=False)
        await _tell_of_card(story, "CARD-NEW", _AFTER, (cast.bravo,), "a new card: only Bravo hears of it")
        await story.pause(STAYS_OFF_S)
    finally:
        await alpha.platform.come_back()
    missed = await story.send(
        "GET",
        names.TOKENS,
        Interface.SENDER,
        by=alpha,
        to=HUB_PARTY,
        query=f"date_from={_AFTER}",
        name="GET all tokens",
    )
    found = [one["uid"] for one in missed.answer.data or []]
    await story.tell(
        missed,
        "Alpha is back and asks what it missed: CARD-NEW",
        arrives=False,
        checks={"exactly the card it missed": found == ["CARD-NEW"]},
    )
    await _everybody_hears(story, heard, ("OFFLINE", "CONNECTED"), "and all are told, once")


async def _tell_of_card(story: Story, uid: str, stamp: str, receivers: tuple[Player, ...], outcome: str) -> None:
    delta = story.cast.delta
    card = objects.token(str(delta.party), uid) | {"last_updated": stamp}
    told = await broadcast(story, "PUT", names.TOKENS, f"{delta.path}/{uid}", by=delta, receivers=receivers, body=card)
    checks = {
        f"{player.name} got it": any(one.platform is player.platform for one in told.arrivals) for player in receivers
    }
    await story.tell(told, outcome, http=201, checks=checks)


def _told(player: Player, about: Player) -> list[str]:
    """The statuses a player was told of another, in order."""
    requests = player.platform.received.of(names.HUB_CLIENT_INFO, Interface.RECEIVER, "PUT", about.path)
    return [str(request.data["status"]) for request in requests]


async def _everybody_hears(story: Story, before: dict[str, int], statuses: tuple[str, ...], outcome: str) -> None:
    """Waits until all that watch were told these statuses of Alpha since there were so many, and nothing else."""
    alpha, watchers = story.cast.alpha, (story.cast.delta, story.cast.echo)
    with suppress(TimeoutError):
        for player in watchers if alpha.platform.counterpart is not None else ():
            await player.platform.received.wait_for(
                names.HUB_CLIENT_INFO,
                Interface.RECEIVER,
                "PUT",
                alpha.path,
                count=before[player.name] + len(statuses),
                timeout_s=ARRIVAL_TIMEOUT_S,
            )
    heard = {player.name: tuple(_told(player, alpha)[before[player.name] :]) for player in watchers}
    problems = tuple(f"{name} heard {', '.join(told) or 'nothing'}" for name, told in heard.items() if told != statuses)
    names_told = " and ".join(player.name for player in watchers)
    await story.add(Step((HUB, names_told), "PUT hubclientinfo", statuses[-1], outcome, None, None, problems))
