"""Locations: a CPO pushes a station and its changes, eMSPs read stations at their owners."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.book import part_of
from hub.sandbox.demo.story import Story

TITLE = "Locations"
ABOUT = "A CPO tells an eMSP of a station with two charge points and of a car that plugs in; an eMSP may also ask."

STATION = "STATION1"


async def play(story: Story) -> None:
    alpha, delta = story.cast.alpha, story.cast.delta
    station = objects.location(str(alpha.party), STATION, evses=2)
    alpha.platform.own.put(names.LOCATIONS, station)
    pushed = await story.send(
        "PUT", names.LOCATIONS, Interface.RECEIVER, f"{alpha.path}/{STATION}", by=alpha, to=delta, body=station
    )
    held = delta.platform.held.find(names.LOCATIONS, alpha.party, STATION)
    await story.tell(
        pushed, "a new station, kept by Delta", http=201, checks={"Delta keeps the station": held is not None}
    )
    change = {"status": "CHARGING", "last_updated": "2026-01-01T12:05:00Z"}
    station["evses"][0].update(change)
    changed = await story.send(
        "PATCH", names.LOCATIONS, Interface.RECEIVER, f"{alpha.path}/{STATION}/E1", by=alpha, to=delta, body=change
    )
    charge_point = part_of(held or {}, "evses", "uid", "E1") or {}
    await story.tell(
        changed,
        "its first plug is CHARGING",
        checks={"E1 is CHARGING at Delta": charge_point.get("status") == "CHARGING"},
    )
    read = await story.send("GET", names.LOCATIONS, Interface.SENDER, STATION, by=delta, to=alpha)
    seen = part_of(read.answer.data or {}, "evses", "uid", "E1") or {}
    await story.tell(
        read, "Delta asks, sees the same", checks={"E1 is CHARGING at Alpha": seen.get("status") == "CHARGING"}
    )
    await _one_platform_three_parties(story)


async def _one_platform_three_parties(story: Story) -> None:
    cast = story.cast
    for player in (cast.bravo, cast.bravo_at, cast.bravo_ch):
        player.platform.own.put(names.LOCATIONS, objects.location(str(player.party), STATION))
    for player in (cast.bravo, cast.bravo_at, cast.bravo_ch):
        read = await story.send("GET", names.LOCATIONS, Interface.SENDER, STATION, by=cast.echo, to=player)
        found = read.answer.data or {}
        await story.tell(
            read,
            f"the station of {player.party}",
            checks={f"it is the station of {player.party}": found.get("country_code") == player.party.country_code},
        )
