"""Tariffs: pushed, read back at the receiver, deleted."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.demo.story import Story

TITLE = "Tariffs"
ABOUT = "A CPO tells an eMSP a price per kWh, checks what the eMSP holds, and takes the price back."

TARIFF = "T1"


async def play(story: Story) -> None:
    alpha, delta = story.cast.alpha, story.cast.delta
    tail = f"{alpha.path}/{TARIFF}"
    held = delta.platform.held
    tariff = objects.tariff(str(alpha.party), TARIFF)
    put = await story.send("PUT", names.TARIFFS, Interface.RECEIVER, tail, by=alpha, to=delta, body=tariff)
    await story.tell(
        put,
        "0.35 EUR/kWh, kept by Delta",
        http=201,
        checks={"Delta keeps the tariff": held.find(names.TARIFFS, alpha.party, TARIFF) is not None},
    )
    read = await story.send("GET", names.TARIFFS, Interface.RECEIVER, tail, by=alpha, to=delta)
    await story.tell(read, "Delta holds exactly that", checks={"it is the same tariff": read.answer.data == tariff})
    deleted = await story.send("DELETE", names.TARIFFS, Interface.RECEIVER, tail, by=alpha, to=delta)
    await story.tell(
        deleted,
        "withdrawn, Delta forgets it",
        checks={"Delta forgot the tariff": held.find(names.TARIFFS, alpha.party, TARIFF) is None},
    )
