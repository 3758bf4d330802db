"""Scenes of steering in a few words: groups, what is said about them, and sessions on the boards of their trees."""

from collections.abc import Iterable
from datetime import datetime

from plugins.load_manager.dispatch import Session
from plugins.load_manager.grid.group import Group
from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.keys import session_key
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.planning import plan
from plugins.load_manager.profiles import Scale
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.steering.scene import Scene
from tests.unit.plugins.load_manager.knowledge.telling import ABC
from tests.unit.plugins.load_manager.signals.saying import T1, TWO_AC3_16_MW

AC3 = Scale("A", 3, 4_140_000)
MAXIMUM_MW = 11_040_000


def scene_of(capacity: Capacity) -> Scene:
    """T1 alone, with this capacity."""
    scene = Scene(Known(), GridModel([T1]))
    scene.capacities[T1.id] = capacity
    return scene


def look(scene: Scene, now: datetime) -> None:
    """What a look at the tree leaves behind."""
    scene.capacities[T1.id] = scene.capacities[T1.id].looked_at(T1, now, TWO_AC3_16_MW)
    scene.tree(T1.id).plan = plan(T1.id, scene.model, scene.capacities, scene.known, (), now=now, epoch=1)


def scene_with(known: Known, groups: Iterable[Group], now: datetime) -> Scene:
    """These groups and all that is known."""
    scene = Scene(known, GridModel(groups))
    scene.place_all(now)
    return scene


def seen(scene: Scene, *session_ids: str, path: tuple[str, ...] = ("T1",)) -> None:
    """Sessions of NL/ABC are on the board, booked with 11.04 kW each."""
    board = scene.tree(path[-1]).board
    for session_id in session_ids:
        board.seen(Session(session_key(ABC, session_id), str(ABC), path, MAXIMUM_MW, AC3))
