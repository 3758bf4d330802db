"""The fixture, in a pytest of its own: it costs nothing to have, and fails tests that leave something behind."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

TESTS = """
import asyncio
from hub.plugin import Plugin, PluginConfig

class Leaking(Plugin[PluginConfig]):
    name = "leaking"
    async def start(self):
        self.task = asyncio.create_task(self.idle())
    async def idle(self):
        await asyncio.Event().wait()

def test_used_as_it_should_be(plugin_bench):
    async def use():
        async with plugin_bench() as b:
            assert b.is_open
    asyncio.run(use())

def test_left_open(plugin_bench):
    loop = asyncio.new_event_loop()
    left_open = plugin_bench()
    loop.run_until_complete(left_open.__aenter__())
    test_left_open.kept = left_open

def test_leaking(plugin_bench):
    async def use():
        async with plugin_bench(Leaking):
            pass
    asyncio.run(use())
"""


def pytest_of_its_own(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "--disable-plugin-autoload", "-p", "hub.testing.pytest_plugin"]
    finished = subprocess.run(
        [*command, *options, str(folder)],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    return finished.stdout + finished.stderr


def test_what_a_test_leaves_behind_fails_it(tmp_path: Path) -> None:
    (tmp_path / "test_plugin.py").write_text(TESTS)

    said = pytest_of_its_own(tmp_path)

    assert re.search(r"3 passed, 2 errors", said), said
    assert re.findall(r"^ERROR test_plugin\.py::(\w+)", said, re.MULTILINE) == ["test_left_open", "test_leaking"]
    assert "Failed: a bench was left open: leave it by the end of its async with block" in said
    assert "Failed: tasks were still there after stop(), of leaking: start them with hub.spawn" in said


def test_tests_that_do_not_use_it_do_not_load_the_hub(tmp_path: Path) -> None:
    looks = "import sys\n\ndef test_it():\n    assert not {'hub.app', 'hub.plugin', 'aiohttp'} & set(sys.modules)\n"
    (tmp_path / "test_other.py").write_text(looks)

    assert "1 passed" in pytest_of_its_own(tmp_path)
