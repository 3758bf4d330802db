"""Where sessions stand: each row is on the board of its tree, also after a crash between two saves of another grid."""

from plugins.load_manager.grid.group import Group, Member
from plugins.load_manager.knowledge.keys import session_key
from plugins.load_manager.knowledge.known import Known
from plugins.load_manager.steering.scene import NOWHERE, Scene
from tests.unit.plugins.load_manager.grid.grids import group
from tests.unit.plugins.load_manager.knowledge.telling import ABC, NOON, known_site, put
from tests.unit.plugins.load_manager.steering.scenes import scene_with, seen

S1, S2 = session_key(ABC, "S1"), session_key(ABC, "S2")


def site() -> Known:
    """S1 and S2 run at LOC1."""
    known = known_site(evses=2)
    for session_id in ("S1", "S2"):
        put(known, 0, session_id)
    return known


def t1() -> Group:
    """T1 has all of LOC1."""
    return group("T1", None, Member(ABC, "LOC1"))


def boards(scene: Scene) -> dict[str, set[str]]:
    return {root: set(tree.board.state.rows) for root, tree in scene.trees.items() if tree.board.state.rows}


def test_rows_go_to_the_board_of_their_tree() -> None:
    scene = scene_with(site(), [t1()], NOON)
    seen(scene, "S1", "S2", path=("T0",))
    scene.settle_rows(NOON)
    assert boards(scene) == {"T1": {S1, S2}}


def test_of_two_rows_of_one_session_the_newer_counts() -> None:
    scene = scene_with(site(), [t1()], NOON)
    seen(scene, "S1", path=("T0",))
    seen(scene, "S1", "S2")
    scene.tree("T0").board.state.rows[S1].seq = 3
    scene.tree("T1").board.state.rows[S1].seq = 2
    scene.settle_rows(NOON)
    assert boards(scene) == {"T1": {S1, S2}}
    assert scene.tree("T1").board.state.rows[S1].seq == 3
    seen(scene, "S1", path=("T0",))
    scene.settle_rows(NOON)
    assert scene.tree("T1").board.state.rows[S1].seq == 3


def test_who_stands_nowhere_is_let_go() -> None:
    scene = scene_with(site(), [], NOON)
    seen(scene, "S1")
    scene.settle_rows(NOON)
    assert boards(scene) == {NOWHERE: {S1}}
    row = scene.tree(NOWHERE).board.state.rows[S1]
    assert row.releasing
    assert row.session.path == ()
    scene.settle_rows(NOON)
    assert boards(scene) == {NOWHERE: {S1}}
