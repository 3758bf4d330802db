"""Liveness, rule by rule. Idle after 300 s, failures 20 s apart, probes each 60 s while OFFLINE, 60 s to settle."""

from hub.domain.connection import NEVER, Liveness


def known(now: float = 0.0, *, online: bool = True) -> Liveness:
    return Liveness(idle_s=300, spacing_s=20, online=online, since=now)


def gone(now: float = 0.0) -> Liveness:
    """OFFLINE since `now`."""
    there = known(now - 40)
    flips = [there.failed(moment) for moment in (now - 40, now - 20, now)]
    assert flips == [False, False, True]
    return there


def test_three_spaced_failures_in_a_row_and_no_fewer() -> None:
    there = known()

    assert not there.failed(0)
    assert not there.failed(20)
    assert there.online
    assert there.failed(40)
    assert not there.online


def test_failures_closer_than_the_spacing_count_once() -> None:
    there = known()

    assert not any(there.failed(second / 10) for second in range(199))
    assert there.failures == 1
    assert not there.failed(20)
    assert there.failures == 2


def test_anything_heard_starts_the_count_again() -> None:
    there = known()
    there.failed(0)
    there.failed(20)

    assert not there.heard(30)
    assert not there.failed(40)
    assert not there.failed(60)
    assert there.online
    assert there.failed(80)


def test_a_failed_probe_is_a_failure_like_any_other() -> None:
    there = known()

    assert not there.probed(0, succeeded=False)
    assert not there.failed(10)
    assert not there.probed(20, succeeded=False)
    assert there.probed(40, succeeded=False)
    assert not there.online


def test_while_offline_failures_flip_nothing() -> None:
    there = gone()

    assert not any(there.failed(20 * turn) for turn in range(1, 10))
    assert not there.probed(300, succeeded=False)
    assert not there.online


def test_a_message_brings_it_back() -> None:
    there = gone()

    assert there.heard(10)
    assert there.online
    assert not there.heard(11)


def test_a_successful_probe_brings_it_back() -> None:
    there = gone()

    assert there.probed(10, succeeded=True)
    assert there.online
    assert not there.probed(20, succeeded=True)


def test_a_platform_that_sends_but_cannot_be_reached_is_believed_once_a_minute() -> None:
    there = gone()

    assert there.heard(1)
    there.failed(20)
    there.failed(40)
    assert there.failed(60)
    assert not there.heard(60.5)  # 59.5 s after the last return
    assert not there.online
    assert there.probed(60.75, succeeded=True)  # a probe is proof at any time
    assert there.heard_at == 60.75
    there.failed(80)
    there.failed(100)
    assert there.failed(120)
    assert not there.heard(120.5)
    assert there.heard(120.75)


def test_a_quiet_platform_is_probed_when_it_has_been_idle() -> None:
    there = known(1000)

    assert not there.probe_due(1299)
    assert there.probe_due(1300)
    there.heard(1200)
    assert not there.probe_due(1499)
    assert there.probe_due(1500)
    there.probed(1500, succeeded=True)
    assert not there.probe_due(1799)
    assert there.probe_due(1800)


def test_after_a_failure_probes_follow_at_the_spacing() -> None:
    there = known()
    there.failed(10)

    assert not there.probe_due(29)
    assert there.probe_due(30)
    there.probed(30, succeeded=False)
    assert not there.probe_due(49)
    assert there.probe_due(50)


def test_while_offline_probes_follow_each_minute_and_the_first_at_once() -> None:
    there = gone()

    assert there.probe_due(0)
    there.probed(0, succeeded=False)
    assert not there.probe_due(59)
    assert there.probe_due(60)


def test_a_platform_known_to_be_offline_is_probed_at_once_after_a_start() -> None:
    there = known(1000, online=False)

    assert there.probe_due(1000)
    assert there.heard_at == NEVER
    assert there.heard(1000)
