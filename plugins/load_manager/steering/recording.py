"""The decision log, on the plugin's records: newest first, found by tree."""

from collections.abc import Sequence

from hub.ocpi import codec
from hub.plugin import Found, HubApi, Record
from plugins.load_manager.doors.port import PlanEntry
from plugins.load_manager.evidence import LoggedPlan, decision_rows, group_rows, read_rows
from plugins.load_manager.planning import Plan
from plugins.load_manager.strides import Strides, unhurried

_MOST_BYTES = 200_000_000
_ROWS = 200

_Rows = list[dict[str, object]]


class Recording:
    """Writes and reads it. Raises StoreUnavailable."""

    def __init__(self, hub: HubApi) -> None:
        self._hub = hub
        self._plans = hub.records("plan")

    async def planned(self, plan: Plan) -> None:
        """A plan by which something changed; that of a large tree in several records."""
        groups, decisions = await unhurried(_rows_of(plan), self._hub.sleep)
        parts = [(groups[:_ROWS], decisions[:_ROWS])]
        parts += [(groups[at : at + _ROWS], []) for at in range(_ROWS, len(groups), _ROWS)]
        parts += [([], decisions[at : at + _ROWS]) for at in range(_ROWS, len(decisions), _ROWS)]
        head = {"tree": plan.tree}
        # The newest comes first when they are read, so the first part is written last.
        for some, others in reversed(parts):
            body = head | {"groups": some, "decisions": others, "parts": len(parts)}
            await self._plans.append_many([Record(plan.at, body, head)])

    async def newest(self, tree: str) -> LoggedPlan | None:
        """The last plan of a tree, as far as it was noted."""
        where = {"tree": tree}
        found = [one.read() for one in await self._plans.find(where, limit=1)]
        if found and found[0].get("parts", 1) > 1:
            found = [one.read() for one in await self._plans.find(where, limit=found[0]["parts"])]
        if not found:
            return None
        groups = [row for body in found for row in body["groups"]]
        return read_rows(groups, [row for body in found for row in body["decisions"]])

    async def tidy(self) -> None:
        """Drops the oldest plans when there is too much."""
        await self._plans.prune(most_bytes=_MOST_BYTES)

    async def plans(self, tree: str | None, older_than: str | None, most: int) -> Sequence[PlanEntry]:
        """At most so many, newest first; ids below another's."""
        where = None if tree is None else {"tree": tree}
        before = int(older_than) if older_than is not None and older_than.isdecimal() else None
        return [_entry(one) for one in await self._plans.find(where, before=before, limit=most)]


def _rows_of(plan: Plan) -> Strides[tuple[_Rows, _Rows]]:
    found: tuple[_Rows, _Rows] = [], []
    for rows, kept in zip((group_rows(plan), decision_rows(plan)), found, strict=True):
        for row in rows:
            yield
            kept.append(codec.to_plain(row))
    return found


def _entry(found: Found) -> PlanEntry:
    body = found.read()
    return PlanEntry(f"{found.id:012d}", found.at, body["tree"], tuple(body["groups"]), tuple(body["decisions"]))
