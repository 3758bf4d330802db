"""Ids are what they say; alarms are counted, bounded, and last as long as they should."""

import uuid
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hub.broker.alarms import MAX_ALARMS, Alarms
from hub.broker.ids import message_id, platform_id, record_id
from hub.clock import ManualClock
from hub.metrics import Metrics


def test_message_ids_are_random_uuids() -> None:
    ids = [message_id() for _ in range(500)]

    assert len(set(ids)) == 500
    for text in ids:
        assert str(uuid.UUID(text)) == text
        assert (uuid.UUID(text).version, uuid.UUID(text).variant) == (4, uuid.RFC_4122)


def test_ids_of_records_fit_into_urls() -> None:
    records = {record_id() for _ in range(500)}
    platforms = {platform_id() for _ in range(500)}

    assert len(records) == len(platforms) == 500
    assert all(len(text) == 24 and int(text, 16) >= 0 for text in records)
    assert all(len(text) == 10 and int(text, 16) >= 0 for text in platforms)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["sound", "stand", "clear", "acknowledge"]), st.sampled_from("ab"), st.sampled_from("xyz")
    ),
    max_size=30,
)


@given(EVENTS)
async def test_an_alarm_is_counted_and_stands_until_it_is_cleared(events: list[tuple[str, str, str]]) -> None:
    clock, metrics = ManualClock(), Metrics()
    alarms = Alarms(clock, metrics)
    counts: Counter[tuple[str, str]] = Counter()
    standing: dict[tuple[str, str], bool] = {}
    seen: dict[tuple[str, str], bool] = {}
    order: list[tuple[str, str]] = []

    for what, kind, subject in events:
        key = kind, subject
        if what in ("sound", "stand"):
            alarms.sound(kind, subject, f"text {len(order)}", standing=what == "stand")
            counts[key] += 1
            standing[key], seen[key] = what == "stand", False
            order = [*(other for other in order if other != key), key]
        elif what == "clear":
            alarms.clear(kind, subject)
            if key in standing:
                standing[key] = False
        else:
            known = next((alarm.id for alarm in alarms.newest_first if (alarm.kind, alarm.subject) == key), "none")
            acknowledged = alarms.acknowledge(known)
            assert (acknowledged is not None) is (key in counts)
            if key in counts:
                seen[key] = True
        await clock.jump(1)

    listed = alarms.newest_first
    assert [(alarm.kind, alarm.subject) for alarm in listed] == order[::-1]
    for alarm in listed:
        key = alarm.kind, alarm.subject
        assert (alarm.count, alarm.standing, alarm.acknowledged) == (counts[key], standing[key], seen[key])
        assert alarm.first_at <= alarm.last_at
    exposed = metrics.expose().decode()
    for kind in "ab":
        total = sum(count for (sounded, _), count in counts.items() if sounded == kind)
        assert (f'ocpi_hub_alarms_total{{kind="{kind}"}} {float(total)}' in exposed) is (total > 0)


def test_the_list_is_bounded_and_the_oldest_go() -> None:
    alarms = Alarms(ManualClock(), Metrics())
    for number in range(MAX_ALARMS + 5):
        alarms.sound("kind", str(number), "text")

    listed = alarms.newest_first
    assert len(listed) == MAX_ALARMS
    assert (listed[0].subject, listed[-1].subject) == (str(MAX_ALARMS + 4), "5")
