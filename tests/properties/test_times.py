"""What is rendered is read back, in the hub's own form and in those of the field."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from hub.ocpi import times

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Away from the ends of the calendar, so that every offset leads to a moment in it.
NAIVE = st.datetimes().filter(lambda moment: 2 <= moment.year <= 9998)
MOMENTS = st.builds(datetime.replace, NAIVE, tzinfo=OFFSETS)
DATE_LIKE = st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.,Zz+\- ]{0,20}", fullmatch=True)


def in_milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@given(MOMENTS)
def test_rendered_is_read_back_to_the_millisecond(moment: datetime) -> None:
    text = times.render(moment)

    assert len(text) == 24
    assert text.endswith("Z")
    assert times.parse(text) == in_milliseconds(moment)


DIGITS = st.sampled_from(["auto", "seconds", "milliseconds", "microseconds"])


@given(MOMENTS, st.sampled_from("Tt "), DIGITS, st.booleans())
def test_every_form_of_a_moment_is_read(moment: datetime, separator: str, digits: str, decoded: bool) -> None:
    text = moment.isoformat(separator, digits)
    read = times.parse(text.replace("+", " ") if decoded else text)

    assert read is not None
    assert read.tzinfo is UTC
    unit = {"seconds": 1_000_000, "milliseconds": 1000}.get(digits, 1)
    assert read == moment.replace(microsecond=moment.microsecond // unit * unit)


@given(st.datetimes())
def test_without_a_zone_it_is_utc(moment: datetime) -> None:
    assert times.parse(moment.isoformat()) == moment.replace(tzinfo=UTC)


@given(st.text(st.characters(codec=None), max_size=40) | DATE_LIKE)
def test_any_text_is_a_moment_or_nothing(text: str) -> None:
    moment = times.parse(text)

    assert moment is None or moment.tzinfo is UTC
