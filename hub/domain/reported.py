"""What a peer hub reports to be behind it, and what becomes of what it reported before (R-204, R-039).

Rules
- A report that is older than the one that is known changes nothing; one of the same time counts.
- A whole list is the truth: parties that it lacks are gone. Only what was reported while it was being read stands above
  it, as far as it is not older.
- A peer reports a bounded number of parties. It reports neither hubs nor our own party.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from hub.domain.platform import ReportedParty
from hub.ocpi import times
from hub.ocpi.configuration import ClientInfo
from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId, well_formed

MAX_REPORTED = 10_000

Reported = tuple[ReportedParty, ...]


class Fate(StrEnum):
    """What became of a report."""

    NEW = "new"
    KNOWN = "known"
    ONE_TOO_MANY = "one too many"


class Merged(NamedTuple):
    """What is known once several reports were read in order, and what became of each."""

    reported: Reported
    fates: list[Fate]


def reported_party(info: ClientInfo, hub: PartyId) -> ReportedParty | str:
    """The party of a report, or a sentence that says why it is none. `hub` is our own party."""
    if not well_formed(info.country_code, info.party_id):
        return "country_code and party_id are not those of a party"
    moment = times.parse(info.last_updated)
    if moment is None:
        return "last_updated must be an RFC 3339 date and time"
    if not is_reportable(info, hub):
        return "A hub is reached by itself, not behind another one"
    return ReportedParty(info.role, info.country_code, info.party_id, info.status, moment)


def is_reportable(info: ClientInfo, hub: PartyId) -> bool:
    """Whether it is one of those a peer leads to."""
    return info.role is not Role.HUB and PartyId(info.country_code, info.party_id) != hub


def merged(known: Reported, reports: Iterable[ReportedParty]) -> Merged:
    """Single reports, on top of what is known."""
    by_key = {one.key: one for one in known}
    fates: list[Fate] = []
    for report in reports:
        before = by_key.get(report.key)
        if before is None and len(by_key) >= MAX_REPORTED:
            fates.append(Fate.ONE_TOO_MANY)
            continue
        fates.append(Fate.NEW if before is None else Fate.KNOWN)
        if before is None or report.last_updated >= before.last_updated:
            by_key[report.key] = report
    return Merged(tuple(by_key.values()), fates)


def replaced(
    known: Reported, before: Mapping[str, ReportedParty], listed: Sequence[ReportedParty], *, whole: bool
) -> Reported:
    """A list in place of what is known; `before` is what was known when reading it began, by key. A list that is not
    the whole one removes nothing.
    """
    rows = {one.key: one for one in listed}
    kept: dict[str, ReportedParty] = {}
    for one in known:
        row = rows.pop(one.key, None)
        if before.get(one.key) == one:  # nothing was reported meanwhile
            if row is not None or not whole:
                kept[one.key] = row or one
        else:
            kept[one.key] = row if row is not None and row.last_updated > one.last_updated else one
    return tuple((kept | rows).values())[:MAX_REPORTED]
