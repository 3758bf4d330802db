"""The bucket counts exactly, and the set of buckets stays small."""

from hypothesis import given, settings
from hypothesis import strategies as st

from plugins.rate_limit.bucket import Bucket, Buckets, Limit, Place

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


def test_a_burst_then_one_per_share_of_a_minute() -> None:
    bucket = Bucket(Limit(per_minute=60, burst=3), 0)

    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(SECOND - 1)
    assert bucket.take(SECOND)
    assert not bucket.take(SECOND)
    assert bucket.refused == 3


def test_a_figure_that_divides_nothing_does_not_drift() -> None:
    """7 a minute is one in 8.571428... s: asked every 0.1 s for an hour, it lets 420 and the burst pass."""
    bucket = Bucket(Limit(per_minute=7, burst=2), 0)
    passed = sum(bucket.take(step * SECOND // 10) for step in range(10 * 3600 + 1))
    assert passed == 422


def test_the_wait_is_in_whole_seconds_and_long_enough() -> None:
    bucket = Bucket(Limit(per_minute=7, burst=1), 0)
    assert bucket.wait_s(0) == 0
    bucket.take(0)
    assert bucket.wait_s(0) == 9
    assert bucket.wait_s(8 * SECOND) == 1
    assert not bucket.take(8 * SECOND)
    assert bucket.take(9 * SECOND)


@settings(max_examples=60)
@given(st.integers(1, 10_000), st.integers(1, 500), st.lists(st.integers(0, 20 * SECOND), min_size=1, max_size=100))
def test_no_more_passes_than_burst_and_figure_allow(per_minute: int, burst: int, pauses_ns: list[int]) -> None:
    bucket = Bucket(Limit(per_minute, burst), 0)
    now_ns = passed = 0
    for pause_ns in pauses_ns:
        now_ns += pause_ns
        passed += bucket.take(now_ns)
        assert passed * MINUTE <= burst * MINUTE + now_ns * per_minute
        wait_s = bucket.wait_s(now_ns)
        assert bucket.under(bucket.limit, now_ns).take(now_ns + wait_s * SECOND)


def test_under_another_figure_the_same_share_is_used() -> None:
    bucket = Bucket(Limit(per_minute=60, burst=10), 0)
    for _ in range(5):
        bucket.take(0)
    wider = bucket.under(Limit(per_minute=600, burst=100), 0)
    assert [wider.take(0) for _ in range(51)] == [True] * 50 + [False]

    bucket = bucket.under(Limit(per_minute=12, burst=2), 0)
    assert [bucket.take(0), bucket.take(0)] == [True, False]


def test_full_buckets_are_forgotten_when_somebody_new_comes() -> None:
    buckets = Buckets()
    for number in range(50):
        bucket = Bucket(Limit(60, 1), 0)
        bucket.take(0)
        buckets.add(Place(f"platform-{number}", "tokens"), bucket, 0)
    assert len(buckets) == 50

    buckets.add(Place("late", "tokens"), Bucket(Limit(60, 1), SECOND), SECOND)

    assert [place.platform for place, _ in buckets.items()] == ["late"]


def test_above_the_bound_the_one_used_longest_ago_goes() -> None:
    buckets = Buckets(most=2)
    for name in ("first", "second"):
        bucket = Bucket(Limit(1, 1), 0)
        bucket.take(0)
        buckets.add(Place(name, "tokens"), bucket, 0)
    assert buckets.find(Place("first", "tokens")) is not None

    buckets.add(Place("third", "tokens"), Bucket(Limit(1, 1), 0), 0)

    assert [place.platform for place, _ in buckets.items()] == ["first", "third"]
    assert buckets.find(Place("second", "tokens")) is None
