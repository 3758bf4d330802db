"""From a question to the records that answer it. Ids and parties are looked up; module and platform, which far too many
records share, are looked for in the records themselves, newest first.
"""

from typing import NamedTuple

from hub.ocpi import codec
from hub.plugin import Found, Records
from plugins.message_log.asking import Question

# Records looked through for one answer: some tenths of a second at most.
MOST_LOOKED_THROUGH = 10_000
_STEP = 200


class Page(NamedTuple):
    """Records, newest first, and the id below which to go on; None when there is nothing further. There may be fewer
    than were asked for, even none, and further ones all the same.
    """

    shown: list[Found]
    before: int | None


async def search(records: Records, asked: Question) -> Page:
    """The newest that fit, at most `asked.limit`. Raises StoreUnavailable."""
    needles = [
        _member(name, value)
        for name, value in (("module", asked.module), ("platform", asked.platform))
        if value is not None
    ]
    step = _STEP if needles else asked.limit + 1
    shown: list[Found] = []
    before = asked.before
    for _ in range(0, MOST_LOOKED_THROUGH, step):
        some = await records.find(asked.where, before=before, since=asked.since, until=asked.until, limit=step)
        for one in some:
            if all(needle in one.raw for needle in needles):
                if len(shown) == asked.limit:
                    return Page(shown, shown[-1].id)
                shown.append(one)
        if len(some) < step:
            return Page(shown, None)
        before = some[-1].id
    return Page(shown, before)


def _member(name: str, value: str) -> bytes:
    """How the member stands in a record's text, in the record itself or in a leg. Within a value its quotes would have
    a backslash in front.
    """
    return codec.dumps({name: value})[1:-1]
