"""Client info: whom a platform can reach through the hub."""

from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox.demo.cast import Player
from hub.sandbox.demo.message import Message
from hub.sandbox.demo.story import Story

TITLE = "Who is there"
ABOUT = (
    "Every platform can ask the hub for the parties of all others, and whether they are connected. NL/GLM is the hub's "
    "own, which steers charging."
)

HUBS_OWN = (Role.SCSP.value, "NL", "GLM", "CONNECTED")


async def play(story: Story) -> None:
    cast = story.cast
    for player in (cast.delta, cast.bravo):
        others = {
            (role.value, country_code, party_id, "CONNECTED")
            for platform in cast.platforms
            if platform is not player.platform
            for role, country_code, party_id in platform.roles
        }
        asked = await ask_who_is_there(story, player)
        rows = asked.answer.data or []
        listed = ", ".join(f"{row['country_code']}/{row['party_id']}" for row in rows)
        await story.tell(
            asked,
            f"{len(rows)} parties, all CONNECTED: {listed}",
            arrives=False,
            checks={"exactly the parties of the others are listed as CONNECTED": _as_set(asked) == {HUBS_OWN, *others}},
        )


async def ask_who_is_there(story: Story, player: Player) -> Message:
    """One page of the hub's client info, which holds all of this cast."""
    return await story.send("GET", names.HUB_CLIENT_INFO, Interface.SENDER, by=player)


def statuses(asked: Message, party: PartyId) -> set[str]:
    """The connection statuses a party is listed with."""
    return {status for _, country_code, party_id, status in _as_set(asked) if PartyId(country_code, party_id) == party}


def _as_set(asked: Message) -> set[tuple[str, str, str, str]]:
    rows = asked.answer.data or []
    return {(row["role"], row["country_code"], row["party_id"], row["status"]) for row in rows}
