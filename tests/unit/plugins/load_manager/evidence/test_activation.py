"""What became of a signal, from its coming to the last quarter of it."""

from datetime import timedelta
from decimal import Decimal

import pytest

from hub.ocpi import codec
from plugins.load_manager.evidence import Activation, Quality, Why, csv_of, figures, quarter_figures
from plugins.load_manager.evidence.writing import Figure
from plugins.load_manager.grid.power import MW_PER_KW
from plugins.load_manager.signals.capacity import Capacity
from tests.unit.plugins.load_manager.signals.saying import T1, at, online, signal


def heard(*blocks: str, until: str = "12:30") -> Activation:
    """An activation of T1, whose signal was heard at 12:00."""
    said = signal(*blocks)
    capacity: Capacity = online(T1, said)
    return Activation.of(said, capacity.steps(T1, at("12:00"), at(until)))


def lived() -> Activation:
    """30 kW, then 20 kW: two sessions are lowered, one of them twice and one never confirms."""
    one = heard("12:00-12:15 30", "12:15-12:30 20")
    one.acknowledged(at("12:00:01"))
    one.planned(at("12:00:02"))
    one.put(at("12:00:03"), "nl*abc/s1", 1, 1)
    one.put(at("12:00:04"), "nl*abc/s2", 1, 1)
    one.called_back(at("12:00:06"), "nl*abc/s1", 1, 1)
    one.put(at("12:00:08"), "nl*abc/s2", 1, 2)
    one.called_back(at("12:00:09"), "nl*abc/s2", 1, 1)
    one.fell_short(at("12:00:10"), Why.REJECTED, 11_040_000)
    one.fell_short(at("12:01:10"), Why.REJECTED, 11_040_000)
    one.measured(at("11:55"), at("12:05"), 36 * MW_PER_KW, Quality.MEASURED)
    one.measured(at("12:05"), at("12:20"), 24 * MW_PER_KW, Quality.DERIVED)
    return one


def test_moments_are_those_of_the_first_time() -> None:
    one = lived()
    one.acknowledged(at("12:10"))
    one.planned(at("12:10"))
    assert (one.acknowledged_at, one.planned_at) == (at("12:00:01"), at("12:00:02"))
    assert (one.first_put_at, one.last_put_at) == (at("12:00:03"), at("12:00:08"))


def test_a_session_is_confirmed_by_the_result_of_its_newest_profile() -> None:
    one = lived()
    assert (one.confirmed_share, one.confirmed_at) == (0.5, None)
    one.called_back(at("12:00:40"), "nl*abc/s2", 1, 2)
    one.called_back(at("12:00:50"), "nl*abc/s3", 1, 1)
    assert (one.confirmed_share, one.confirmed_at) == (1.0, at("12:00:40"))


def test_nobody_had_to_be_lowered() -> None:
    assert heard("12:00-12:30 30").confirmed_share is None


def test_energy_above_the_limit_counts_by_the_limit_of_the_time() -> None:
    metered = lived().metered
    assert (metered.lowest_mw, metered.highest_mw) == (24 * MW_PER_KW, 36 * MW_PER_KW)
    # 6 kW too much for 5 min, then 4 kW too much for 5 min
    assert metered.overload_kwh == Decimal("0.833333")


def test_averages_are_over_quarters_of_the_clock() -> None:
    first, second = quarter_figures(lived())
    assert (first["start"], first["average_kw"], first["limit_kw"], first["known_s"]) == (
        "2026-03-02T12:00:00.000Z",
        28,
        30,
        900,
    )
    assert (second["average_kw"], second["limit_kw"], second["known_s"]) == (24, 20, 300)


def test_time_counts_once_and_only_while_the_signal_is_in_force() -> None:
    one = heard("12:00-12:15 30")
    one.measured(at("11:00"), at("12:00"), 90 * MW_PER_KW, Quality.MEASURED)
    one.measured(at("12:00"), at("12:10"), 30 * MW_PER_KW, Quality.MEASURED)
    one.measured(at("12:05"), at("12:12"), 60 * MW_PER_KW, Quality.MEASURED)
    one.superseded(at("12:11"))
    one.measured(at("12:11"), at("12:15"), 90 * MW_PER_KW, Quality.MEASURED)
    assert one.metered.seconds == {Quality.MEASURED: 720}
    assert one.metered.overload_kwh == Decimal(1)


def test_what_is_known_how_well() -> None:
    one = lived()
    assert one.data_quality(at("12:20")) == {"measured": 0.25, "derived": 0.75, "assumed": 0.0, "unknown": 0.0}
    assert one.data_quality(at("12:25"))["unknown"] == pytest.approx(0.2)
    assert one.data_quality(at("12:00")) == {}


def test_an_exception_is_said_once_while_nothing_changes() -> None:
    one = lived()
    one.fell_short(at("12:02"), Why.DEFICIT, 1_040_000)
    one.fell_short(at("12:03"), Why.REJECTED, 22_080_000)
    assert [(each.why, each.power_mw) for each in one.shortcomings] == [
        (Why.REJECTED, 11_040_000),
        (Why.DEFICIT, 1_040_000),
        (Why.REJECTED, 22_080_000),
    ]


@pytest.mark.parametrize("clock", ["12:30", "12:31"])
def test_what_comes_when_it_is_over_is_not_about_it(clock: str) -> None:
    one = heard("12:00-12:30 30")
    one.put(at(clock), "nl*abc/s1", 1, 1)
    one.fell_short(at(clock), Why.NO_ANSWER, 1)
    assert (one.first_put_at, one.profiles, one.shortcomings) == (None, {}, [])


def test_a_signal_that_is_never_in_force_is_no_activation() -> None:
    with pytest.raises(ValueError, match="some time"):
        Activation.of(signal("12:00-12:15 30"), ())


def test_it_comes_back_from_a_store_as_it_was() -> None:
    one = lived()
    body = codec.dumps(one.to_json())
    again = Activation.from_json(codec.loads(body))
    assert again == one
    again.called_back(at("12:00:40"), "nl*abc/s2", 1, 2)
    assert again.confirmed_share == 1.0
    with pytest.raises(ValueError, match="provider"):
        Activation.from_json({})


def test_the_figures() -> None:
    row = figures(lived(), at("12:30"))
    expected: dict[str, Figure] = {
        "provider": "dso-x",
        "group_id": "T1",
        "message_id": "m1",
        "lowest_limit_kw": 20,
        "received_at": "2026-03-02T12:00:00.000Z",
        "ends_at": "2026-03-02T12:30:00.000Z",
        "planned_after_s": 2.0,
        "last_put_after_s": 8.0,
        "confirmed_after_s": None,
        "sessions_lowered": 2,
        "confirmed_share": 0.5,
        "lowest_kw": 24,
        "highest_kw": 36,
        "overload_kwh": Decimal("0.833333"),
        "quarters_above": 1,
        "exceptions": "2026-03-02T12:00:10.000Z rejected 11.04 kW",
        "unknown_share": 0.333333,
    }
    assert {name: row[name] for name in expected} == expected
    assert codec.loads(codec.dumps(row))["overload_kwh"] == Decimal("0.833333")


def test_nobody_is_named_in_what_leaves_the_hub() -> None:
    one = lived()
    for text in (str(one.to_json()), str(figures(one, at("12:30"))), str(quarter_figures(one))):
        assert "abc/s" not in text
    other = heard("12:00-12:30 30")
    other.message_id = "m2"
    other.put(at("12:01"), "nl*abc/s1", 1, 1)
    assert not one.profiles.keys() & other.profiles.keys()


def test_csv_has_a_line_of_names_and_no_formulas() -> None:
    row = figures(lived(), at("12:30")) | {"group_id": '=1+"1",2'}
    lines = csv_of([row, {"group_id": "T2", "note": None}]).splitlines()
    assert lines[0].startswith("provider,group_id,message_id,kind,")
    assert lines[0].endswith(",note")
    assert '"\'=1+""1"",2"' in lines[1]
    assert lines[2].startswith(",T2,,")
    assert csv_of([]).strip() == ""


def test_a_long_forecast_stays_small() -> None:
    one = heard("12:00-23:00 30", until="23:00")
    for minute in range(600):
        start = at("12:00") + timedelta(minutes=minute)
        one.measured(start, start + timedelta(minutes=1), 20 * MW_PER_KW, Quality.MEASURED)
    assert len(one.metered.quarters) == 40
    assert all(quarter.average_mw == 20 * MW_PER_KW for quarter in one.metered.quarters)
