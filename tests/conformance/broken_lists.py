"""Everything that can be wrong with a list: how a platform comes to serve it, and what the hub says of it."""

from collections.abc import Callable
from itertools import count
from typing import Any

from hub.ocpi import codec, names
from hub.sandbox import Reply, SandboxPlatform, objects
from hub.sandbox.habits import LinkStyle, Listing
from hub.sandbox.received import Received
from tests.conformance.pulling import S, raw_list

Spoil = Callable[[SandboxPlatform], object]

HELD = ["L1", "L2", "L3", "L4"]
OWNER = "AT/CPX"


def loc(location_id: object, **changes: object) -> bytes:
    """A location of AT/CPX."""
    return codec.dumps(objects.location(OWNER, "X") | {"id": location_id} | changes)


def _page(platform: SandboxPlatform, *texts: bytes, **page: Any) -> Reply:
    """A page of such locations that belong to the platform's own party instead."""
    own = platform.parties[0].party_id.encode()
    return raw_list(*(text.replace(b'"CPX"', b'"%b"' % own) for text in texts), **page)


def listing(kind: Listing, style: LinkStyle = LinkStyle.ABSOLUTE) -> Spoil:
    def spoil(platform: SandboxPlatform) -> None:
        platform.habits.listing, platform.habits.link_style = kind, style

    return spoil


def serves(*texts: bytes, **page: Any) -> Spoil:
    return lambda platform: platform.serve(names.LOCATIONS, S, lambda _: _page(platform, *texts, **page))


def says(body: bytes, status: int = 200) -> Spoil:
    return lambda platform: platform.serve(names.LOCATIONS, S, lambda _: Reply(status, body))


def fails(how: str, *arguments: Any, **options: Any) -> Spoil:
    return lambda platform: getattr(platform.faults.on(names.LOCATIONS, S), how)(*arguments, **options)


def links(link: str, objects_in_turn: int = 1) -> Spoil:
    """Every page has one object, the same ones by turns, and this Link; `{n}` in it counts."""

    def spoil(platform: SandboxPlatform) -> None:
        numbers = count()

        def page(_: Received) -> Reply:
            number = next(numbers)
            return _page(platform, loc(HELD[number % objects_in_turn]), link=link.replace("{n}", str(number)))

        platform.serve(names.LOCATIONS, S, page)

    return spoil


BROKEN: dict[str, tuple[Spoil, str]] = {
    "truncated": (listing(Listing.TRUNCATED), "the list ends after 1 of 3 objects"),
    "looping": (listing(Listing.LOOPING), "the Links of the list lead in a circle"),
    "looping relative links": (listing(Listing.LOOPING, LinkStyle.RELATIVE), "in a circle"),
    "looping cursors": (listing(Listing.LOOPING, LinkStyle.CURSOR), "nothing new"),
    "endless": (listing(Listing.ENDLESS), "a page has nothing new and links to yet another one"),
    "endless cursors": (listing(Listing.ENDLESS, LinkStyle.CURSOR), "nothing new"),
    "endless same object": (links('<?page={n}>; rel="next"'), "nothing new"),
    "going round": (links('<?cursor={n}>; rel="next"', 2), "nothing new"),
    "garbage": (listing(Listing.GARBAGE), "objects cannot be used, the first because an object is of the wrong kind"),
    "no id": (serves(loc("L1"), loc(None)), "1 objects cannot be used, the first because an object has no id"),
    "no owner": (serves(loc("L1", party_id=None)), "an object has no party_id"),
    "no last_updated": (serves(loc("L1", last_updated=None)), "the first because L1: last_updated"),
    "bad last_updated": (serves(loc("L1", last_updated="soon")), "last_updated is no date and time"),
    "an id that climbs": (serves(loc("../../tokens")), "cannot stand in a URL"),
    "too few": (serves(loc("L1"), loc("L1"), total=2), "the list ends after 1 of 2 objects"),
    "empty but counted": (serves(total=3), "the list ends after 0 of 3 objects"),
    "foreign host": (links('<https://elsewhere.example/x>; rel="next"'), "registered hosts"),
    "link into the hub": (links('<http://127.0.0.1:1/x>; rel="next"'), "registered hosts"),
    "link with blanks": (links('<?a b>; rel="next"'), "registered hosts"),
    "link unreadable": (links('?page=2; rel="next"'), "the Link to the next page cannot be read"),
    "data is an object": (says(b'{"data":{"id":"L1"},"status_code":1000,"timestamp":""}'), "no array in its data"),
    "data is null": (says(b'{"data":null,"status_code":1000,"timestamp":""}'), "no array in its data"),
    "no data": (says(b'{"status_code":1000,"timestamp":""}'), "no array in its data"),
    "no envelope": (says(b"[]"), "not an OCPI response"),
    "not JSON": (fails("not_json"), "not an OCPI response"),
    "cut JSON": (says(b'{"data":[{"id":'), "not an OCPI response"),
    "not UTF-8": (says(b'{"data":[],"status_code":1000,"x":"\xff"}'), "not an OCPI response"),
    "deep": (says(b'{"status_code":1000,"data":' + b"[" * 90_000 + b"]" * 90_000 + b"}"), "an OCPI response"),
    "empty": (says(b""), "not an OCPI response"),
    "error code": (says(b'{"status_code":3000,"timestamp":""}'), "HTTP 200 and status code 3000"),
    "refused": (says(b'{"status_code":2001,"timestamp":""}', 404), "HTTP 404 and status code 2001"),
    "HTTP 500": (fails("answer", 500), "HTTP 500"),
    "HTTP 401": (fails("answer", 401), "HTTP 401"),
    "redirect": (fails("redirect", "http://127.0.0.1:1/"), "HTTP 307"),
    "no HTTP": (fails("garbage"), "the connection broke"),
    "half a body": (fails("half_body"), "the connection broke"),
    "reset": (fails("reset"), "the connection broke"),
    "too large": (fails("oversize", 300_000), "larger than this hub reads"),
    "too large in the stream": (fails("oversize", 300_000, chunked=True), "longer than the hub relays"),
    "silent": (fails("hang"), "no answer in time"),
    "slow": (fails("drip", 0.2), "no answer in time"),
}
