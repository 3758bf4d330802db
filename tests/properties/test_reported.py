"""Reports of a peer hub: whatever comes in whatever order, and however often, the newest of each party counts."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.platform import ReportedParty
from hub.domain.reported import Fate, merged, replaced
from hub.ocpi.names import ConnectionStatus, Role
from tests.unit.domain.platforms import NOW

REPORTS = st.builds(
    ReportedParty,
    st.sampled_from([Role.CPO, Role.EMSP]),
    st.sampled_from(["ES", "es"]),
    st.sampled_from(["CPS", "cps", "FAR"]),
    st.sampled_from(ConnectionStatus),
    st.integers(0, 5).map(lambda minutes: NOW + timedelta(minutes=minutes)),
)
KNOWN = st.lists(REPORTS, unique_by=lambda one: one.key).map(tuple)


@given(KNOWN, st.lists(REPORTS))
def test_the_newest_counts_and_of_equals_the_last(
    known: tuple[ReportedParty, ...], reports: list[ReportedParty]
) -> None:
    reported, fates = merged(known, reports)

    everything = [*known, *reports]
    for one in reported:
        same = [other for other in everything if other.key == one.key]
        newest = max(other.last_updated for other in same)
        assert one == [other for other in same if other.last_updated == newest][-1]
    assert {one.key for one in reported} == {one.key for one in everything}
    assert len(reported) == len({one.key for one in reported})
    seen = {one.key for one in known}
    for report, fate in zip(reports, fates, strict=True):
        assert fate is (Fate.KNOWN if report.key in seen else Fate.NEW)
        seen.add(report.key)


@given(KNOWN, st.lists(REPORTS), st.integers(0, 5))
def test_reports_may_be_stored_one_by_one_or_together(
    known: tuple[ReportedParty, ...], reports: list[ReportedParty], cut: int
) -> None:
    first = merged(known, reports[:cut])
    then = merged(first.reported, reports[cut:])

    assert merged(known, reports) == (then.reported, first.fates + then.fates)


@given(KNOWN, st.lists(REPORTS), st.lists(REPORTS, unique_by=lambda one: one.key), st.booleans())
def test_a_list_is_the_truth_but_for_what_was_reported_meanwhile(
    before: tuple[ReportedParty, ...], meanwhile: list[ReportedParty], listed: list[ReportedParty], whole: bool
) -> None:
    known = merged(before, meanwhile).reported

    found = {one.key: one for one in replaced(known, {one.key: one for one in before}, listed, whole=whole)}

    stood = {one.key: one for one in before}
    rows = {one.key: one for one in listed}
    now = {one.key: one for one in known}
    for key in stood.keys() | rows.keys() | now.keys():
        untouched = now.get(key) == stood.get(key)
        if untouched:
            assert found.get(key) == rows.get(key, None if whole else now.get(key))
        else:
            newer = key in rows and rows[key].last_updated > now[key].last_updated
            assert found[key] == (rows[key] if newer else now[key])
