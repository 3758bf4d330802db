"""Nothing is lost on the way: what the hub does not know passes through it byte for byte."""

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox.demo.story import Story

TITLE = "Byte for byte"
ABOUT = (
    "The hub never rewrites an object: fields it does not know, numbers in odd spellings, blanks and escapes arrive as "
    "they were sent, in both directions."
)

ODD_STATION = (
    b'{\r\n\t"country_code":"NL", "party_id":"ALP", "id" : "ODD1", "publish":true, "evses": [], "new_in_2031": '
    b'{"deep":[1, 2.50, null]},\n "price":0.3500, "big":12345678901234567890.123456789, "e":1E2, "minus":-0.0, '
    b'"name":"Caf\xc3\xa9 \\u20ac \\/ \\"q\\"", "time_zone":"Europe/Amsterdam",  "last_updated":"2026-01-01T12:00:00Z"}'
)
ODD_ANSWER = (
    b'{"status_message":null, "data": ' + ODD_STATION + b',\n"status_code" : 1000, "extra":1.0E+1,'
    b' "timestamp":"2026-01-01T12:00:00.000"}'
)


async def play(story: Story) -> None:
    alpha, delta = story.cast.alpha, story.cast.delta
    put = await story.send(
        "PUT", names.LOCATIONS, Interface.RECEIVER, f"{alpha.path}/ODD1", by=alpha, to=delta, body=ODD_STATION
    )
    arrived = put.request.body if put.request is not None else b""
    await story.tell(
        put,
        f"{len(arrived)} of {len(ODD_STATION)} bytes, identical",
        http=201,
        checks={"the bytes are identical": arrived == ODD_STATION},
        details=['in it: {"price":0.3500, "big":12345678901234567890.123456789, "e":1E2, "minus":-0.0, ...}'],
    )
    alpha.platform.faults.on(names.LOCATIONS, Interface.SENDER, "GET", times=1).answer(200, ODD_ANSWER)
    read = await story.send("GET", names.LOCATIONS, Interface.SENDER, "ODD1", by=delta, to=alpha)
    await story.tell(
        read,
        f"{len(read.answer.body)} of {len(ODD_ANSWER)} bytes, identical",
        checks={"the bytes are identical": read.answer.body == ODD_ANSWER},
    )
