"""What both stores share about the legs of a broadcast: how far each has come, as one byte per leg, and the list of
their receivers, which is kept once for all broadcasts that have the same.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from hub.store.documents import record_from, text_of
from hub.store.records import LegClaim, PartyOn

# Ruling 8: a leg is attempted once, and once more after a crash.
_MOST_ATTEMPTS = 2
_SETTLED = 255
# A list of 1,000 legs takes 100 kB as text and 400 kB as objects.
_LISTS_REMEMBERED = 32
# A page of unfinished broadcasts ends before its bodies are more, however few they are.
MOST_BODIES_BYTES = 16 * 1024 * 1024


def fresh(legs: int) -> bytes:
    """The progress of so many legs, none of them begun."""
    return bytes(legs)


def begin(progress: bytearray, claims: Iterable[LegClaim]) -> list[LegClaim]:
    """Begins what may begin, in place; the claims that may."""
    granted = []
    for claim in claims:
        known = 0 <= claim.leg < len(progress) and 1 <= claim.attempt <= _MOST_ATTEMPTS
        if known and progress[claim.leg] == claim.attempt - 1:
            progress[claim.leg] = claim.attempt
            granted.append(claim)
    return granted


def settle(progress: bytearray, legs: Iterable[int]) -> bool:
    """Marks legs as done, in place; whether that changed anything."""
    before = progress.count(_SETTLED)
    for leg in legs:
        if 0 <= leg < len(progress):
            progress[leg] = _SETTLED
    return progress.count(_SETTLED) != before


def is_done(progress: bytes | bytearray) -> bool:
    """Whether every leg is settled."""
    return progress.count(_SETTLED) == len(progress)


def attempts(progress: bytes) -> tuple[int | None, ...]:
    """Per leg the attempts begun, None if settled."""
    return tuple(None if one == _SETTLED else one for one in progress)


@dataclass(frozen=True, slots=True)
class Audience:
    """A list of legs as it is kept: its text and the SHA-256 of it."""

    digest: bytes
    text: str


class Audiences:
    """Remembers the latest lists, so that writing or reading a long one costs once. Writing may happen in a thread of
    its own: the two directions share nothing.
    """

    def __init__(self) -> None:
        # By identity: comparing 1,000 legs costs more than it saves. The tuple is held, so its id stays its own.
        self._written: OrderedDict[int, tuple[tuple[PartyOn, ...], Audience]] = OrderedDict()
        self._read: OrderedDict[bytes, tuple[PartyOn, ...]] = OrderedDict()

    def of(self, legs: tuple[PartyOn, ...]) -> Audience:
        """How the list is kept."""
        remembered = self._written.get(id(legs))
        if remembered is not None:
            self._written.move_to_end(id(legs))
            return remembered[1]
        text = text_of(legs)
        audience = Audience(hashlib.sha256(text.encode()).digest(), text)
        self._written[id(legs)] = legs, audience
        if len(self._written) > _LISTS_REMEMBERED:
            self._written.popitem(last=False)
        return audience

    def remembered(self, digest: bytes) -> tuple[PartyOn, ...] | None:
        """The list with this digest if it was read lately."""
        return self._read.get(digest)

    def read(self, digest: bytes, text: str) -> tuple[PartyOn, ...]:
        """The list in a text that was kept. Raises StoreUnavailable when it cannot be read."""
        legs = record_from(tuple[PartyOn, ...], text, "of a broadcast's legs")
        self._read[digest] = legs
        if len(self._read) > _LISTS_REMEMBERED:
            self._read.popitem(last=False)
        return legs
