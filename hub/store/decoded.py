"""What stored texts say, remembered: a text that has not changed is not decoded again."""

import asyncio
from collections.abc import Collection
from typing import Generic, TypeVar

from hub.domain.agreements import Agreement
from hub.domain.platform import Platform
from hub.errors import StoreUnavailable
from hub.store.documents import RecordsUnreadable, in_order, record_from

T = TypeVar("T")
# Texts looked at before others may run: a few milliseconds of work if all have to be decoded.
_AT_ONCE = 20


class Decoded(Generic[T]):
    """The records of one collection with the text each was decoded from. Only the text says whether a record is still
    the same, so it does not matter who wrote it, or whether that ended well.
    """

    def __init__(self, kind: type[T]) -> None:
        self._kind = kind
        self._known: dict[str, tuple[str, T]] = {}
        self._written: dict[str, tuple[str, T]] = {}

    def wrote(self, key: str, text: str, record: T) -> None:
        """This record was stored as this text. It is taken for what the text says only when that was seen to be so."""
        self._written[key] = (text, record)

    def record(self, key: str, text: str) -> T:
        """The record, the very same object if the text is the one that was last read or written. StoreUnavailable if it
        cannot be read.
        """
        known = self._known.get(key)
        if known is None or known[0] != text:
            known = text, record_from(self._kind, text, key)
            written = self._written.pop(key, None)
            if written is not None and written == known:
                known = written
            self._known[key] = known
        return known[1]

    async def all(self, texts: Collection[tuple[str, str]]) -> tuple[list[T], dict[str, str]]:
        """The records of all these (key, text) pairs, and why others cannot be read, by key; what is not among them is
        forgotten. Lets others run in between.
        """
        keys = {key for key, _ in texts}
        for kept in (self._known, self._written):
            for key in kept.keys() - keys:
                del kept[key]
        readable, problems = [], {}
        for number, (key, text) in enumerate(texts, 1):
            try:
                readable.append(self.record(key, text))
            except StoreUnavailable as problem:
                problems[key] = str(problem)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        return readable, problems


async def platforms_from(texts: Collection[tuple[str, str]], decoded: Decoded[Platform]) -> list[Platform]:
    """Every platform of these (id, text) pairs, in order; RecordsUnreadable when some cannot be read."""
    readable, problems = await decoded.all(texts)
    if problems:
        raise RecordsUnreadable(in_order(readable), problems)
    return in_order(readable)


async def agreements_from(texts: Collection[tuple[str, str]], decoded: Decoded[Agreement]) -> list[Agreement]:
    """Every agreement of these (id, text) pairs, in their order; StoreUnavailable when one cannot be read."""
    readable, problems = await decoded.all(texts)
    if problems:
        raise StoreUnavailable("; ".join(problems.values()))
    return readable
