"""What capacity providers say, as it changes the capacities of groups."""

from dataclasses import replace

from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.steering.limit_news import LimitNews
from plugins.load_manager.steering.scene import Scene
from tests.unit.plugins.load_manager.signals.saying import T1, at, signal


def test_two_dsos_may_give_their_messages_the_same_ids() -> None:
    now = at("12:00")
    other = replace(T1, id="T2", capacity_provider="dso-y")
    scene = Scene(Known(), GridModel([T1, other]))
    scene.capacities |= {group.id: Capacity.unknown(group, now) for group in (T1, other)}
    news = LimitNews(scene)
    first = signal("12:00-13:00 20", message_id="1")
    second = replace(first, group_id="T2", capacity_provider="dso-y")
    for said in (first, second):
        assert not news.signal(said, now, contact=True).repeated
    assert [scene.capacities[each].standing.in_force_mw for each in ("T1", "T2")] == [20_000_000] * 2
    assert news.signal(second, now, contact=True).repeated
