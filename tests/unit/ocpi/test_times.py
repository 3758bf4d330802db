"""DateTime: one form out, every form of the field in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from hub.ocpi import times

MOMENT = datetime(2015, 6, 29, 20, 39, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2015-06-29T20:39:09Z",
        "2015-06-29T20:39:09",
        "2015-06-29T20:39:09.000Z",
        "2015-06-29t20:39:09z",
        "2015-06-29 20:39:09",
        "2015-06-29T20:39:09+00:00",
        "2015-06-29T20:39:09 00:00",
        "2015-06-29T22:39:09+02:00",
        "2015-06-29T22:39:09 02:00",
        "2015-06-29 22:39:09.000 02:00",
        "2015-06-29T16:09:09-04:30",
        " 2015-06-29T20:39:09Z ",
    ],
)
def test_every_form_means_the_same(text: str) -> None:
    assert times.parse(text) == MOMENT


def test_fractions_are_kept_to_the_microsecond() -> None:
    assert times.parse("2015-06-29T20:39:09.5Z") == MOMENT.replace(microsecond=500_000)
    assert times.parse("2015-06-29T20:39:09.1234567Z") == MOMENT.replace(microsecond=123_456)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "now",
        "1435610349",
        "2015-06-29T23:59:99Z",
        "2015-02-30T00:00:00Z",
        "2015-06-29T20:39:09+",
        "2015-06-29T20:39:09 UTC",
        "\uff12\uff1015-06-29T20:39:09Z",
        "\ud800",
        # Whose UTC would lie outside of the calendar.
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
    ],
)
def test_what_is_no_moment(text: str) -> None:
    assert times.parse(text) is None


def test_rendered_is_utc_with_milliseconds() -> None:
    assert times.render(MOMENT.replace(microsecond=999_999)) == "2015-06-29T20:39:09.999Z"
    assert (
        times.render(datetime(2015, 6, 29, 22, 39, 9, tzinfo=timezone(timedelta(hours=2))))
        == "2015-06-29T20:39:09.000Z"
    )
    assert times.render(datetime(5, 1, 1, tzinfo=UTC)) == "0005-01-01T00:00:00.000Z"
