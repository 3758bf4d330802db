"""What plans make of cars that draw more than they were told."""

from plugins.load_manager.profiles import StepProfile, second
from tests.unit.plugins.load_manager.planning.site import AC3_16, Site, key, kw, total_mw
from tests.unit.plugins.load_manager.signals.saying import at, fallback, signal


def limited(count: int, limit_kw: float) -> Site:
    site = Site([AC3_16] * count)
    site.limit(limit_kw)
    return site


def drawing(**draws_kw: float) -> dict[str, object]:
    return {"drawn_mw": {key(name): kw(draw_kw) for name, draw_kw in draws_kw.items()}}


def test_it_is_told_its_fair_share_and_the_others_share_what_it_leaves() -> None:
    site = limited(3, 30)
    made = site.plan("12:00", circumstances=drawing(S3=11.04))
    assert site.amperes(made) == [13.7, 13.7, 14.4]  # (30 - 11.04) / 2 = 9.48 kW
    assert site.decision(made, 3).sentence == "it draws more than it was told: counted with 11.0 kW"
    again = site.plan("12:01", circumstances=drawing(S3=11.04))
    assert site.amperes(again) == [13.7, 13.7, 14.4]
    assert site.amperes(site.plan("12:02")) == [14.4] * 3


def test_at_zero_it_is_told_zero_and_what_it_draws_is_missing() -> None:
    site = limited(2, 0)
    made = site.plan("12:00", circumstances=drawing(S1=5))
    assert site.amperes(made) == [0, 0]
    assert made.groups["T1"].deficit_mw == kw(5)


def test_when_it_may_draw_more_than_it_does_that_is_counted() -> None:
    site = limited(3, 33)
    made = site.plan("12:00", circumstances=drawing(S1=5))
    assert site.amperes(made) == [15.9] * 3
    assert total_mw(made) <= kw(33)


def test_it_takes_turns_as_if_it_kept_to_them() -> None:
    site = limited(4, 10)
    on = {number for number in range(4) if site.amperes(site.plan("12:00"))[number]}
    off = next(number for number in range(4) if number not in on)
    made = site.plan("12:01", circumstances=drawing(**{f"S{off + 1}": 4.2}))
    told = site.amperes(made)
    assert told[off] == 0
    assert sum(1 for ampere in told if ampere) == 1
    assert total_mw(made) <= kw(10 - 4.2)


def test_the_endings_are_within_the_fallback_whatever_it_draws() -> None:
    site = Site([AC3_16] * 3)
    site.say(signal("00:00-13:00 30", "13:00-23:59 0"), fallback("00:00-23:59 15"))
    for drawn_kw in (0.5, 2.0, 4.5, 6.0, 11.0):
        made = site.plan("13:00", remember=False, circumstances=drawing(S1=drawn_kw))
        ends_s = second(at("13:45"))
        endings = {name: made.targets[key(name)] for name in ("S1", "S2", "S3")}
        powers = [ending.at(ends_s) for ending in endings.values() if isinstance(ending, StepProfile)]
        assert sum(powers[1:]) + max(powers[0], kw(drawn_kw)) <= kw(15)
        assert len(powers) == 3


def test_one_that_is_not_steered_counts_with_what_it_draws() -> None:
    site = Site([AC3_16] * 2, consent=False, default_current_a=6)
    site.limit(30)
    made = site.plan("12:00", circumstances=drawing(S1=11.0))
    assert made.groups["T1"].uncontrolled_mw == kw(11.0) + kw(4.14)
    assert "not steered, its CPO has not consented: counted with 11.0 kW" in site.decision(made, 1).sentence
