"""Pages: what `Link` may look like, and what a query may ask for."""

from datetime import UTC, datetime

import pytest

from hub.ocpi import paging
from hub.ocpi.paging import Page, next_link, read_page, render_next

NEXT = "https://x.test/locations?offset=50&limit=50"


@pytest.mark.parametrize(
    "lines",
    [
        [f'<{NEXT}>; rel="next"'],
        [f"<{NEXT}>; rel=next"],
        [f"<{NEXT}>;rel=next"],
        [f'<{NEXT}> ; REL = "NEXT" '],
        [f'<{NEXT}>; rel="last next"'],
        [f'<{NEXT}>; title="a; b, <c>"; rel="next"; type="application/json"'],
        [f'<{NEXT}>; title="say \\"rel=prev; \\\\"; rel="next"'],
        [f"<{NEXT}>; crossorigin; rel=next"],
        [f"<{NEXT}>;; rel=next;"],
        [f'<https://x.test/1>; rel="prev", <{NEXT}>; rel="next", <https://x.test/9>; rel="last"'],
        ['<https://x.test/1>; rel="first"', f'<{NEXT}>; rel="next"'],
        [f'<https://x.test/1>; title="a\\"; rel=next; b=\\"c"; rel=prev, <{NEXT}>; rel="next"'],
        ["", "nonsense", f'<{NEXT}>; rel="next"'],
    ],
)
def test_the_next_page_is_found(lines: list[str]) -> None:
    assert next_link(lines) == NEXT


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [""],
        [f"<{NEXT}>"],
        [f'<{NEXT}>; rel="prev"'],
        [f'<{NEXT}>; rev="next"'],
        [f'<{NEXT}>; title="rel=next"'],
        # Of several relations of one link the first counts.
        [f'<{NEXT}>; rel="prev"; rel="next"'],
        [f'{NEXT}; rel="next"'],
        ['<>; rel="next"'],
        [f'<{NEXT}>; rel="nextpage"'],
    ],
)
def test_there_is_no_next_page(lines: list[str]) -> None:
    assert next_link(lines) is None


def test_a_reference_may_be_relative() -> None:
    assert next_link(["<?offset=2>; rel=next"]) == "?offset=2"


def test_what_the_hub_renders_it_reads() -> None:
    assert render_next(NEXT) == f'<{NEXT}>; rel="next"'
    assert next_link([render_next(NEXT)]) == NEXT


@pytest.mark.parametrize(
    "line", ["<" * 50_000, "<a>;" * 20_000, '<a>;a="' * 10_000, "<a>" + "; " * 40_000, '<a>;a="\\' * 10_000]
)
def test_a_hostile_header_costs_little(line: str) -> None:
    """Would take minutes if the patterns looked at the same text again and again; the suite's time limit ends it."""
    assert next_link([line] * 5) is None


def test_defaults_of_a_page() -> None:
    assert (paging.DEFAULT_LIMIT, paging.MAX_LIMIT) == (50, 100)
    assert Page() == Page(0, 50, None, None)
    assert read_page("offset=0&limit=1") == Page(0, 1)
    assert read_page("") == Page(0, paging.DEFAULT_LIMIT)
    assert read_page("type=RFID") == Page(0, paging.DEFAULT_LIMIT)


def test_everything_a_page_may_ask_for() -> None:
    query = "date_from=2026-01-01T00:00:00+01:00&date_to=2026-01-02T00:00:00Z&offset=10&limit=7"

    assert read_page(query) == Page(10, 7, datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))


def test_more_than_the_maximum_is_the_maximum() -> None:
    assert read_page("limit=100000") == Page(0, paging.MAX_LIMIT)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("offset=-1", "offset"),
        ("offset=x", "offset"),
        ("offset=", "offset"),
        ("offset=1.5", "offset"),
        ("offset=%2B1", "offset"),
        ("offset=%D9%A3", "offset"),
        ("offset=%C2%B2", "offset"),
        ("offset=" + "9" * 5000, "offset"),
        ("limit=0", "limit"),
        ("limit=-5", "limit"),
        ("limit=all", "limit"),
        ("date_from=yesterday", "date_from"),
        ("date_to=", "date_to"),
        ("date_from=0001-01-01T00:00:00%2B14:00", "date_from"),
        ("date_from=2026-01-02T00:00:00Z&date_to=2026-01-01T00:00:00Z", "date_from"),
    ],
)
def test_what_is_wrong_is_named(query: str, named: str) -> None:
    problem = read_page(query)

    assert isinstance(problem, str)
    assert problem.startswith(named)


def test_the_interval_is_half_open() -> None:
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    page = Page(date_from=start, date_to=end)

    assert page.includes(start)
    assert not page.includes(end)
    assert not page.includes(datetime(2025, 12, 31, tzinfo=UTC))
    assert Page().includes(end)
    assert not Page(date_from=start, date_to=start).includes(start)
