"""Counts stay right when there is much to count, and small."""

from datetime import timedelta

from hub.ocpi.party_id import PartyId
from plugins.schema_check.checking import Finding
from plugins.schema_check.judging import Direction
from plugins.schema_check.statistics import (
    MOST_LATEST,
    MOST_PROBLEMS,
    MOST_ROWS,
    Place,
    ProblemKey,
    Statistics,
    Times,
)
from tests.unit.plugins.exchanges import ABC, START

PLACE = Place(ABC, "locations", Direction.REQUEST)
LATER = START + timedelta(minutes=1)


def finding(pointer: str, problem: str = "wrong") -> Finding:
    return Finding(pointer, problem, "value")


def test_a_body_counts_once_whatever_is_wrong_with_it() -> None:
    statistics = Statistics()
    statistics.add(PLACE, [], "c1", START)
    statistics.add(PLACE, [finding("/evses/0/uid"), finding("/evses/17/uid"), finding("/id")], "c2", START)
    statistics.add(PLACE, [finding("/evses/2/uid"), finding("/evses/2/uid", "also")], "c3", LATER)

    row = statistics.rows[PLACE]
    assert (row.checked, row.wrong, row.share) == (3, 2, 0.6667)
    assert (statistics.checked, statistics.wrong, statistics.unchecked) == (3, 2, 0)
    assert row.problems == {
        ProblemKey("/evses/*/uid", "wrong"): Times(2, LATER),
        ProblemKey("/id", "wrong"): Times(1, START),
        ProblemKey("/evses/*/uid", "also"): Times(1, LATER),
    }
    assert row.last is not None
    assert (row.last.at, row.last.correlation_id, row.last.finding) == (LATER, "c3", finding("/evses/2/uid"))


def test_parties_are_the_same_in_any_case_of_letters() -> None:
    statistics = Statistics()
    statistics.add(PLACE, [], "c1", START)
    statistics.add(PLACE._replace(party=PartyId("nl", "abc")), [], "c2", START)
    assert [(place.party_text, row.checked) for place, row in statistics.rows.items()] == [("NL/ABC", 2)]


def test_every_index_in_a_pointer_becomes_a_star_and_nothing_else_does() -> None:
    statistics = Statistics()
    statistics.add(PLACE, [finding("/data/3/evses/0/connectors/12"), finding("/a1/2b"), finding("")], "c", START)
    assert [key.pointer for key in statistics.rows[PLACE].problems] == ["/data/*/evses/*/connectors/*", "/a1/2b", ""]


def test_rows_are_bounded_and_none_is_lost() -> None:
    statistics = Statistics()
    parties = [PartyId("NL", f"{number:03X}") for number in range(MOST_ROWS)]
    for party in parties * 2:
        for direction in Direction:
            statistics.add(Place(party, "locations", direction), [finding("/id")], "c", START)

    assert len(statistics.rows) <= MOST_ROWS
    assert statistics.checked == 4 * MOST_ROWS
    assert sum(row.checked for row in statistics.rows.values()) == statistics.checked
    other = statistics.rows[Place(None, "locations", Direction.ANSWER)]
    assert other.checked > MOST_ROWS
    assert statistics.rows[Place(parties[0], "locations", Direction.ANSWER)].checked == 2


def test_problems_of_a_row_are_bounded_and_the_known_ones_go_on() -> None:
    statistics = Statistics()
    for number in range(100):
        statistics.add(PLACE, [finding(f"/field_{number}")], "c", START)
    statistics.add(PLACE, [finding("/field_0"), finding("/field_77"), finding("/field_78")], "c", LATER)

    problems = statistics.rows[PLACE].problems
    assert len(problems) == MOST_PROBLEMS
    assert problems[ProblemKey("/field_0", "wrong")] == Times(2, LATER)
    # 51 of the first hundred, and one more body, though two of its findings stand there.
    assert problems[ProblemKey("other", "further problems")] == Times(52, LATER)


def test_only_the_latest_findings_are_kept() -> None:
    statistics = Statistics()
    for number in range(MOST_LATEST):
        statistics.add(PLACE, [finding(f"/{number}/a"), finding(f"/{number}/b")], f"c{number}", START)
    assert len(statistics.latest) == MOST_LATEST
    assert statistics.latest[-1].finding.pointer == f"/{MOST_LATEST - 1}/b"
    assert statistics.latest[0].correlation_id == f"c{MOST_LATEST // 2}"
