"""How many legs of broadcasts may be under way."""

from hub.broker.pace import Pace


def test_an_idle_loop_lets_the_window_grow_to_its_bound() -> None:
    pace = Pace(start=16, most=20)
    for _ in range(10):
        pace.observe(0.0)
    assert pace.window == 20


def test_a_busy_loop_shrinks_it_to_the_least() -> None:
    pace = Pace(start=200, least=4)
    pace.observe(1.0)
    assert pace.window == 133
    for _ in range(20):
        pace.observe(1.0)
    assert pace.window == 4


def test_it_recovers() -> None:
    pace = Pace(start=4, least=4)
    pace.observe(0.5)
    pace.observe(0.0)
    assert pace.window == 5
