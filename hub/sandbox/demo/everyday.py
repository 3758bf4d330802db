"""Traffic of an ordinary day, for a demo that keeps running: small messages between the players, one by one."""

from itertools import cycle

from hub.clock import Clock
from hub.ocpi import names, times
from hub.ocpi.names import Interface
from hub.sandbox.demo.cast import Cast
from hub.sandbox.demo.chapters.locations import STATION
from hub.sandbox.demo.chapters.tokens import CARD, FOREIGN_CARD

EVERY_S = 0.5

_STATUSES = cycle(("AVAILABLE", "CHARGING"))


async def go_on(cast: Cast, clock: Clock) -> None:
    """Sends for ever; what comes back is counted by the hub."""
    while True:
        for turn in (_station_changes, _card_is_shown, _station_is_read, _bills_are_read, _stranger_is_asked):
            await turn(cast, clock)
            await clock.sleep(EVERY_S)


async def _station_changes(cast: Cast, clock: Clock) -> None:
    change = {"status": next(_STATUSES), "last_updated": times.render(clock.now())}
    tail = f"{cast.alpha.path}/{STATION}/E1"
    await cast.alpha.platform.call(
        "PATCH",
        names.LOCATIONS,
        Interface.RECEIVER,
        tail,
        to=cast.delta.party,
        sender=cast.alpha.party,
        body=change,
    )


async def _card_is_shown(cast: Cast, _clock: Clock) -> None:
    for uid in (CARD, FOREIGN_CARD):
        await cast.alpha.platform.call(
            "POST",
            names.TOKENS,
            Interface.SENDER,
            f"{uid}/authorize",
            to=cast.delta.party,
            sender=cast.alpha.party,
        )


async def _station_is_read(cast: Cast, _clock: Clock) -> None:
    for owner in (cast.bravo, cast.bravo_at, cast.bravo_ch):
        await cast.echo.platform.call(
            "GET", names.LOCATIONS, Interface.SENDER, STATION, to=owner.party, sender=cast.echo.party
        )


async def _bills_are_read(cast: Cast, _clock: Clock) -> None:
    await cast.echo.platform.crawl(names.CDRS, to=cast.bravo.party, sender=cast.echo.party)


async def _stranger_is_asked(cast: Cast, _clock: Clock) -> None:
    await cast.delta.platform.call(
        "GET", names.LOCATIONS, Interface.SENDER, STATION, to="XX/ZZZ", sender=cast.delta.party
    )
