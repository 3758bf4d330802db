"""`Link` headers from a generator that knows RFC 8288 and not the parser; pages from any query."""

from datetime import UTC, datetime
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from hub.ocpi.paging import MAX_LIMIT, Page, next_link, read_page

SPACES = st.text(" \t", max_size=2)
REFERENCES = st.text("abc/?&=%2F.:;,-'()", min_size=1, max_size=12)
RELATION = st.sampled_from(["next", "NEXT", "prev", "last", "nextish", "https://x.test/rel#next"])
RELATIONS = st.lists(RELATION, min_size=1, max_size=3)
TEXTS = st.text('ab ;,<>=next"\\', max_size=10)


class Link:
    """One link: what it refers to, and its parameters as (name, value, how the value is written)."""

    def __init__(self, reference: str, parameters: list[tuple[str, str, bool]]) -> None:
        self.reference = reference
        self.parameters = parameters

    def is_next(self) -> bool:
        """RFC 8288, 3.3: of several `rel` parameters the first counts; relations have no case."""
        first = next((value for name, value, _ in self.parameters if name.lower() == "rel"), "")
        return "next" in first.lower().split(" ")

    def written(self, draw: st.DrawFn) -> str:
        text = f"<{self.reference}>"
        for name, value, quoted in self.parameters:
            text += f"{draw(SPACES)};{draw(SPACES)}{name}"
            if quoted:
                escaped = value.replace("\\", "\\\\").replace('"', '\\"')
                text += f'{draw(SPACES)}={draw(SPACES)}"{escaped}"'
            elif value:
                text += f"={value}"
        return text


@st.composite
def links(draw: st.DrawFn) -> Link:
    parameters: list[tuple[str, str, bool]] = []
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(["rel", "Rel", "rel", "title", "title*", "type", "crossorigin"]))
        if name.lower() == "rel":
            relations = draw(RELATIONS)
            quoted = len(relations) > 1 or draw(st.booleans())
            parameters.append((name, " ".join(relations), quoted))
        elif draw(st.booleans()):
            parameters.append((name, draw(TEXTS), True))
        else:
            parameters.append((name, draw(st.text("abc/*'", max_size=5)), False))
    return Link(draw(REFERENCES), parameters)


@st.composite
def headers(draw: st.DrawFn) -> tuple[list[str], str | None]:
    """The header lines, and the reference of the first link to a next page."""
    lines, expected = [], None
    for _ in range(draw(st.integers(0, 3))):
        line = draw(st.lists(links(), min_size=1, max_size=3))
        lines.append(f"{draw(SPACES)},{draw(SPACES)}".join(link.written(draw) for link in line))
        expected = expected or next((link.reference for link in line if link.is_next()), None)
    return lines, expected


@given(headers())
def test_the_next_page_is_found_in_any_spelling(header: tuple[list[str], str | None]) -> None:
    lines, expected = header

    assert next_link(lines) == expected


@given(st.lists(st.text('<>;,="\\ \tarelnx', max_size=60), max_size=3))
def test_no_header_raises(lines: list[str]) -> None:
    found = next_link(lines)

    assert found is None or found


MOMENTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ANY_TEXT = st.text(st.characters(codec=None), max_size=40)


@given(st.integers(-2, 10**13), st.integers(-2, 10**13), st.none() | MOMENTS, st.none() | MOMENTS)
def test_pages_within_bounds_and_nothing_else(
    offset: int, limit: int, start: datetime | None, end: datetime | None
) -> None:
    query = f"offset={offset}&limit={limit}"
    for name, moment in (("date_from", start), ("date_to", end)):
        if moment:
            query += f"&{name}={quote(moment.isoformat())}"
    page = read_page(query)

    if not 0 <= offset < 10**12 or not 1 <= limit < 10**12 or (start and end and start > end):
        assert isinstance(page, str)
    else:
        assert page == Page(offset, min(limit, MAX_LIMIT), start, end)


@given(ANY_TEXT.map("offset=1&limit={0}&date_from={0}".format) | st.text("ofsetlimda_r=&%2+-19Z", max_size=60))
def test_any_query_is_a_page_or_a_sentence(query: str) -> None:
    page = read_page(query)

    if isinstance(page, Page):
        assert page.offset >= 0
        assert 1 <= page.limit <= MAX_LIMIT
    else:
        assert page
