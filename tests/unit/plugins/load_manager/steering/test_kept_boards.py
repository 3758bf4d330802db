"""A board is kept row by row: what has changed is saved, what has gone is removed, and it comes back whole."""

from collections.abc import AsyncIterator

import pytest

from hub.ocpi import codec
from hub.plugin import StoreUnavailable, TermOver
from plugins.load_manager.dispatch import Board, Settings
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.steering.kept_boards import KeptBoards
from tests.unit.plugins.load_manager.dispatch.scene import Scene
from tests.unit.plugins.small_hub import SmallHub
from tests.unit.plugins.small_store import SmallTerm

NAMES = ("x/s1", "x/s2", "x/s3")


@pytest.fixture
async def hub() -> AsyncIterator[SmallHub]:
    async with SmallHub() as hub:
        yield hub


def scene() -> Scene:
    """Three sessions that were told 10 A each and have not answered yet."""
    made = Scene(30.0)
    made.start(*NAMES)
    made.aim(NAMES, 10.0)
    assert len(made.decide()) == 3
    return made


async def revisions(hub: SmallHub) -> dict[str, int]:
    return {key: kept.revision async for key, kept in hub.shelf.items()}


async def keep(hub: SmallHub, kept: KeptBoards, board: Board, root: str = "g") -> None:
    async with hub.duty("steering") as term:
        await kept.keep(root, board, term)


async def test_it_comes_back_as_it_was(hub: SmallHub) -> None:
    board = scene().board
    await keep(hub, KeptBoards(hub, Settings()), board)
    again = (await KeptBoards(hub, Settings()).load())["g"]
    assert again.state.rows == {
        name: codec.from_plain(type(row), codec.to_plain(row)) for name, row in board.state.rows.items()
    }
    assert again.state.epoch == board.state.epoch
    alone = await KeptBoards(hub, Settings()).load_row("g", SessionKey("x/s2"))
    assert alone is not None
    assert alone.state.rows == {"x/s2": again.state.rows["x/s2"]}
    assert await KeptBoards(hub, Settings()).load_row("g", SessionKey("x/s9")) is None


async def test_one_change_saves_one_row(hub: SmallHub) -> None:
    made, kept = scene(), KeptBoards(hub, Settings())
    await keep(hub, kept, made.board)
    before = await revisions(hub)
    await keep(hub, kept, made.board)
    assert await revisions(hub) == before
    row = made.board.state.rows["x/s2"]
    assert row.waiting is not None
    made.board.unanswered(made.now, "x/s2", row.waiting.epoch, row.waiting.seq)
    await keep(hub, kept, made.board)
    after = await revisions(hub)
    assert {key for key in after if after[key] != before[key]} == {"row/g\nx/s2"}


async def test_what_was_loaded_is_not_saved_again(hub: SmallHub) -> None:
    await keep(hub, KeptBoards(hub, Settings()), scene().board)
    before = await revisions(hub)
    kept = KeptBoards(hub, Settings())
    board = (await kept.load())["g"]
    await keep(hub, kept, board)
    assert await revisions(hub) == before


async def test_a_session_that_is_over_leaves_the_shelf(hub: SmallHub) -> None:
    made, kept = scene(), KeptBoards(hub, Settings())
    await keep(hub, kept, made.board)
    made.board.ended("x/s1")
    await keep(hub, kept, made.board)
    assert "row/g\nx/s1" not in await revisions(hub)
    assert set((await KeptBoards(hub, Settings()).load())["g"].state.rows) == {"x/s2", "x/s3"}


async def test_what_could_not_be_saved_is_saved_the_next_time(hub: SmallHub) -> None:
    made, kept = scene(), KeptBoards(hub, Settings())
    hub.outage.away = True
    with pytest.raises(StoreUnavailable):
        await keep(hub, kept, made.board)
    hub.outage.away = False
    await keep(hub, kept, made.board)
    assert set(await revisions(hub)) == {"board/g", *(f"row/g\n{name}" for name in NAMES)}


async def test_boards_of_trees_that_are_no_more_are_dropped(hub: SmallHub) -> None:
    made, kept = scene(), KeptBoards(hub, Settings())
    await keep(hub, kept, made.board)
    await keep(hub, kept, made.board, "g2")
    async with hub.duty("steering") as term:
        await kept.drop_others({"g2": made.board}, term)
    assert set(await revisions(hub)) == {"board/g2", *(f"row/g2\n{name}" for name in NAMES)}


async def test_a_board_that_was_one_document_is_read_and_becomes_many(hub: SmallHub) -> None:
    board = scene().board
    await hub.shelf.save("board/g", board.to_json())
    kept = KeptBoards(hub, Settings())
    again = (await kept.load())["g"]
    assert set(again.state.rows) == set(NAMES)
    await keep(hub, kept, again)
    assert set(await revisions(hub)) == {"board/g", *(f"row/g\n{name}" for name in NAMES)}


async def test_a_stale_node_saves_nothing(hub: SmallHub) -> None:
    made, kept = scene(), KeptBoards(hub, Settings())
    async with hub.duty("steering") as term:
        assert isinstance(term, SmallTerm)
        term.end()
        with pytest.raises(TermOver):
            await kept.keep("g", made.board, term)
    assert await revisions(hub) == {}
