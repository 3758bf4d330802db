"""Tokens: a driver's card made known to a CPO, and real-time authorization of known and unknown cards."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.demo.story import Story

TITLE = "Tokens and authorization"
ABOUT = "An eMSP tells a CPO of a driver's card. When a card is held to a charge point, the CPO asks if it may charge."

CARD = "04AA11BB"
FOREIGN_CARD = "FFFFFFFF"


async def play(story: Story) -> None:
    alpha, delta = story.cast.alpha, story.cast.delta
    card = objects.token(str(delta.party), CARD)
    delta.platform.own.put(names.TOKENS, card)
    put = await story.send(
        "PUT", names.TOKENS, Interface.RECEIVER, f"{delta.path}/{CARD}", by=delta, to=alpha, body=card
    )
    known = alpha.platform.held.find(names.TOKENS, delta.party, CARD)
    await story.tell(put, f"Alpha knows card {CARD}", http=201, checks={"Alpha keeps the card": known is not None})
    where = objects.location_references("STATION1")
    for uid, outcome, http, code in (
        (CARD, "a card it knows: ALLOWED", 200, 1000),
        (FOREIGN_CARD, "a card it does not know", 404, 2004),
    ):
        asked = await story.send(
            "POST",
            names.TOKENS,
            Interface.SENDER,
            f"{uid}/authorize",
            by=alpha,
            to=delta,
            body=where,
            query="type=RFID",
            name="POST authorize",
        )
        word = (asked.answer.data or {}).get("allowed")
        await story.tell(
            asked,
            outcome,
            http=http,
            code=code,
            checks={"the card is ALLOWED only when it is known": word == ("ALLOWED" if code == 1000 else None)},
        )
