"""A scene of steering in a few words: the groups of tests with what is said about them, and plans of their trees."""

from datetime import datetime

from plugins.load_manager.grid.model import GridModel
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.planning import plan
from plugins.load_manager.signals.capacity import Capacity
from plugins.load_manager.steering.scene import Scene
from tests.unit.plugins.load_manager.signals.saying import T1, TWO_AC3_16_MW


def scene_of(capacity: Capacity) -> Scene:
    """T1 alone, with this capacity."""
    scene = Scene(Known(), GridModel([T1]))
    scene.capacities[T1.id] = capacity
    return scene


def look(scene: Scene, now: datetime) -> None:
    """What a look at the tree leaves behind."""
    scene.capacities[T1.id] = scene.capacities[T1.id].looked_at(T1, now, TWO_AC3_16_MW)
    scene.tree(T1.id).plan = plan(T1.id, scene.model, scene.capacities, scene.known, (), now=now, epoch=1)
