"""A mistake of the hub's own about one list does not end the pulls of others."""

from pathlib import Path
from typing import Any

import pytest

from hub.broker.pulls import PullStatus
from tests.conformance.pulling import EVERY_S, own, setting


async def test_a_mistake_about_one_list_does_not_end_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with setting(tmp_path, "P2", "P4", "P10") as scene:
        catalog: Any = scene.hub.store.catalog
        apply = catalog.apply

        async def fails_for_p10(key: Any, *arguments: Any, **options: Any) -> Any:
            if str(key.owner) == "AT/CPX":
                raise ValueError("a mistake")
            return await apply(key, *arguments, **options)

        own(scene, "X1", owner="AT/CPX", name="P10")
        own(scene, "D1", owner="FR/DUO", name="P4")
        with monkeypatch.context() as patch:
            patch.setattr(catalog, "apply", fails_for_p10)
            await scene.switch("P10", locations=EVERY_S)
            await scene.pull("P4", locations=EVERY_S)
        (alarm,) = scene.alarms()
        assert "AT/CPX" in alarm.subject
        assert scene.row("AT/CPX").status is PullStatus.FAILED
        assert await scene.shown() == ["D1"]
        await scene.passes(61)
        assert not scene.alarms()
        assert sorted(await scene.shown()) == ["D1", "X1"]
        assert not [alarm for alarm in scene.hub.alarms.newest_first if alarm.kind == "task_failed"]
