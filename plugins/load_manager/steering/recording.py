"""The decision log, on the plugin's records: newest first, found by tree."""

from collections.abc import Sequence

from hub.ocpi import codec
from hub.plugin import Found, HubApi, Record
from plugins.load_manager.doors.port import PlanEntry
from plugins.load_manager.evidence import decision_rows, group_rows
from plugins.load_manager.planning import Plan

_MOST_BYTES = 200_000_000


class Recording:
    """Writes and reads it. Raises StoreUnavailable."""

    def __init__(self, hub: HubApi) -> None:
        self._plans = hub.records("plan")

    async def planned(self, plan: Plan) -> None:
        """A plan by which something changed."""
        body = {"groups": codec.to_plain(group_rows(plan)), "decisions": codec.to_plain(decision_rows(plan))}
        await self._plans.append_many([Record(plan.at, {"tree": plan.tree} | body, {"tree": plan.tree})])

    async def tidy(self) -> None:
        """Drops the oldest plans when there is too much."""
        await self._plans.prune(most_bytes=_MOST_BYTES)

    async def plans(self, tree: str | None, older_than: str | None, most: int) -> Sequence[PlanEntry]:
        """At most so many, newest first; ids below another's."""
        where = None if tree is None else {"tree": tree}
        before = int(older_than) if older_than is not None and older_than.isdecimal() else None
        return [_entry(one) for one in await self._plans.find(where, before=before, limit=most)]


def _entry(found: Found) -> PlanEntry:
    body = found.read()
    return PlanEntry(f"{found.id:012d}", found.at, body["tree"], tuple(body["groups"]), tuple(body["decisions"]))
