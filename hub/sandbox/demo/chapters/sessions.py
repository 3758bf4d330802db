"""Sessions: a car charges, the eMSP follows it and says what its driver prefers."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.demo.story import Story

TITLE = "Sessions"
ABOUT = "A driver of Delta charges at Alpha: the CPO reports the session as it grows, the eMSP sends preferences."

SESSION = "S1"


async def play(story: Story) -> None:
    alpha, delta = story.cast.alpha, story.cast.delta
    session = objects.session(str(alpha.party), SESSION, driver=str(delta.party))
    alpha.platform.own.put(names.SESSIONS, session)
    tail = f"{alpha.path}/{SESSION}"
    put = await story.send("PUT", names.SESSIONS, Interface.RECEIVER, tail, by=alpha, to=delta, body=session)
    held = delta.platform.held.find(names.SESSIONS, alpha.party, SESSION) or {}
    await story.tell(put, "begun, 1.25 kWh so far", http=201, checks={"Delta keeps the session": bool(held)})
    more = objects.session(str(alpha.party), SESSION, driver=str(delta.party), kwh="4.7500")
    change = {
        "kwh": more["kwh"],
        "charging_periods": [objects.charging_period("2026-01-01T12:00:00Z", "3.5000")],
        "last_updated": "2026-01-01T12:15:00Z",
    }
    patched = await story.send("PATCH", names.SESSIONS, Interface.RECEIVER, tail, by=alpha, to=delta, body=change)
    await story.tell(
        patched,
        "now 4.75 kWh, two periods",
        checks={
            "Delta has 4.7500 kWh": held.get("kwh") == more["kwh"],
            "Delta has two charging periods": len(held.get("charging_periods", ())) == 2,
        },
    )
    preferred = await story.send(
        "PUT",
        names.SESSIONS,
        Interface.SENDER,
        f"{SESSION}/charging_preferences",
        by=delta,
        to=alpha,
        body=objects.charging_preferences(),
        name="PUT preferences",
    )
    known = alpha.platform.owned.charging_preferences.get(SESSION, {})
    await story.tell(
        preferred,
        "cheap, by 18:00: ACCEPTED",
        checks={
            "Alpha says ACCEPTED": preferred.answer.data == "ACCEPTED",
            "Alpha keeps the preferences": known.get("profile_type") == "CHEAP",
        },
    )
