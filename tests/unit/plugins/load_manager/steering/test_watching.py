"""What operators are told while the load manager steers."""

from hub.ocpi import times
from plugins.load_manager.oscp import CapacityProviders
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.steering.watching import Watching
from tests.unit.plugins.load_manager.oscp.socket_hub import Told
from tests.unit.plugins.load_manager.signals.saying import T1, at, by_operator, fallback, online, signal
from tests.unit.plugins.load_manager.steering.scenes import look, scene_of
from tests.unit.plugins.small_hub import SmallHub

MORNING = signal("12:00-12:15 20", "12:30-12:45 20")


async def warnings(capacity: Capacity, *moments: str) -> list[tuple[str, object, object, object]]:
    """The moment, until when, the limit and its rule of each warning, after looks at these moments."""
    async with SmallHub(at("12:00")) as hub:
        watching = Watching(hub, CapacityProviders(hub, Told(), ""))
        scene = scene_of(capacity)
        found: list[tuple[str, object, object, object]] = []
        for moment in moments:
            await hub.clock.advance((at(moment) - hub.now()).total_seconds())
            look(scene, hub.now())
            watching.planned(T1.id, scene, 0.01)
            found += [(moment, one["until"], one["limit_kw"], one["rule"]) for one in hub.lines]
            assert all((one["log_level"], one["group"]) == ("warning", T1.id) for one in hub.lines)
            hub.lines.clear()
        return found


async def test_a_gap_is_warned_of_once_and_the_next_one_again() -> None:
    capacity = online(T1, MORNING, fallback("12:00-14:00 8"))
    moments = ("12:00", "12:14", "12:15", "12:16", "12:29", "12:30", "12:45", "12:46")
    assert await warnings(capacity, *moments) == [
        ("12:15", times.render(at("12:30")), 8, "GAP"),
        ("12:45", None, 8, "GAP"),
    ]


async def test_what_holds_instead_may_be_somebody_elses_lower_limit() -> None:
    capacity = online(T1, MORNING, fallback("12:00-14:00 8"), by_operator("12:10-12:40 5"))
    assert await warnings(capacity, "12:00", "12:20") == [("12:20", times.render(at("12:30")), 5, "LIMIT")]


async def test_silence_is_no_gap() -> None:
    capacity = online(T1, MORNING, fallback("12:00-14:00 8")).lost(T1, at("12:00"), 0)
    assert await warnings(capacity, "12:00", "12:20") == []
