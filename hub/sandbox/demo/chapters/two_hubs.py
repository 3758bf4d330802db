"""Peer hubs: a charging network that is only at the hub next door."""

from hub.domain.platform import RoleName
from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from hub.sandbox.demo.shouting import ARRIVAL_TIMEOUT_S
from hub.sandbox.demo.step import Step
from hub.sandbox.demo.story import HUB, Story
from hub.sandbox.platform import SandboxPlatform

TITLE = "Two hubs"
ABOUT = (
    "Foxtrot is registered at another hub. The hubs register with each other and tell each other who is there; then "
    "Delta reaches Foxtrot as if it were here, through both."
)

FOXTROT = PartyId("ES", "FOX")
_AGAIN_S = 0.02


async def play(story: Story) -> None:
    delta = story.cast.delta
    async with story.hub.next_door() as other, SandboxPlatform("Foxtrot Charge", [(Role.CPO, "ES", "FOX")]) as foxtrot:
        foxtrot.own.put(names.LOCATIONS, objects.location("ES/FOX", "PLAZA1"))
        roles = (RoleName(Role.CPO, FOXTROT.country_code, FOXTROT.party_id),)
        registered = await foxtrot.register(other.versions_url, await other.invite(foxtrot.name, roles))
        heard = await _delta_hears(story)
        await story.add(
            Step(
                (HUB, delta.name),
                "PUT hubclientinfo",
                heard or "nothing",
                "Foxtrot is at the other hub: Delta is told",
                problems=tuple(problem for problem in (registered.problem, _not_heard(heard)) if problem),
            )
        )
        await _foxtrot_sees(story, foxtrot)
        read = await story.send("GET", names.LOCATIONS, Interface.SENDER, "PLAZA1", by=delta, to=FOXTROT)
        came = foxtrot.received.of(names.LOCATIONS, Interface.SENDER, "GET")
        between = [(str(request.sender), str(request.to)) for request in came]
        await story.tell(
            read,
            "Delta reads a station through both hubs",
            arrives=False,
            checks={
                "Foxtrot was asked once, by Delta": between == [(str(delta.party), str(FOXTROT))],
                "it is Foxtrot's station": (read.answer.data or {}).get("party_id") == FOXTROT.party_id,
            },
        )
    gone = await story.send("GET", names.LOCATIONS, Interface.SENDER, "PLAZA1", by=delta, to=FOXTROT)
    await story.tell(gone, "the other hub has left: unknown", code=4001, arrives=False)


async def _foxtrot_sees(story: Story, foxtrot: SandboxPlatform) -> None:
    """Foxtrot asks its own hub who is there, until Delta is: hubs read each other's lists when they have registered."""
    delta = str(story.cast.delta.party)
    patient_until_s = story.now_s() + 2 * ARRIVAL_TIMEOUT_S
    while True:
        answer = await foxtrot.call("GET", names.HUB_CLIENT_INFO, Interface.SENDER)
        seen = {f"{row['country_code']}/{row['party_id']}": row["status"] for row in answer.data or []}
        if seen.get(delta) == "CONNECTED" or story.now_s() >= patient_until_s:
            break
        await story.pause(_AGAIN_S)
    await story.add(
        Step(
            ("Foxtrot", "its hub"),
            "GET hubclientinfo",
            f"{answer.status}/{answer.status_code}",
            f"Foxtrot sees {len(seen)} parties of this hub, Delta too",
            problems=() if seen.get(delta) == "CONNECTED" else ("Delta should be listed as CONNECTED",),
        )
    )


async def _delta_hears(story: Story) -> str | None:
    """The status Delta is told of Foxtrot at last, within some time: PLANNED may come first."""
    delta = story.cast.delta.platform
    path = f"{FOXTROT.country_code}/{FOXTROT.party_id}"
    status = None
    for count in (1, 2):
        try:
            push = await delta.received.wait_for(
                names.HUB_CLIENT_INFO, Interface.RECEIVER, "PUT", path, count=count, timeout_s=ARRIVAL_TIMEOUT_S
            )
        except TimeoutError:
            break
        status = str(push.data["status"])
        if status == "CONNECTED":
            break
    return status


def _not_heard(status: str | None) -> str | None:
    return None if status == "CONNECTED" else f"Delta should have heard that Foxtrot is CONNECTED, not {status}"
