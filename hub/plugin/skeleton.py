"""The first files of a plugin: a distribution of its own with one small plugin in it that runs as it is."""

import importlib.util
import keyword
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template

from hub.errors import HubError
from hub.plugin.inspecting import NAME
from hub.plugin.loader import ENTRY_POINTS

_PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "$distribution"
version = "0.1.0"
description = "A plugin of the OCPI hub: a line for every charging session that was slow to pass."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["ocpi-hub"]

[project.optional-dependencies]
test = ["pytest"]

[project.entry-points."$entry_points"]
$name = "$name:$plugin"

[tool.hatch.build.targets.wheel]
only-include = ["$name.py"]
"""

_MODULE = '''\
"""A line for every charging session that was slow to pass through the hub."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from hub.ocpi.names import Interface
from hub.plugin import Exchange, Phase, Plugin, PluginConfig, Watch


class $config(PluginConfig):
    """What stands in `[plugin.$name]`."""

    slow_s: Annotated[float, Field(gt=0)] = 2.0
    """Seconds from which a message is slow."""


class $plugin(Plugin[$config]):
    """Looks at sessions that are pushed, when they have passed."""

    name = "$name"
    Config = $config

    def watches(self) -> Iterable[Watch]:
        return [
            Watch(
                phases=frozenset({Phase.FINISHED}),
                modules=frozenset({"sessions"}),
                interface=Interface.RECEIVER,
                methods=frozenset({"PUT"}),
            )
        ]

    def on_finished(self, exchange: Exchange) -> None:
        if exchange.seconds is not None and exchange.seconds >= self.config.slow_s:
            self.hub.log.warning("a session was slow", seconds=exchange.seconds, outcome=exchange.outcome)
'''

_TEST = '''\
"""The plugin at a hub with a CPO and two eMSPs."""

import asyncio

from hub.ocpi.names import SESSIONS, Interface
from hub.sandbox import Received, Reply, objects
from hub.testing import CPO, EMSP, assert_plugin, bench
from structlog.testing import capture_logs

from $name import $plugin

CONFIG = {"$name": {"slow_s": 1.5}}


def test_it_is_fit_to_run() -> None:
    asyncio.run(assert_plugin($plugin))


def test_a_slow_session_is_told() -> None:
    asyncio.run(slow_session())


async def slow_session() -> None:
    async with bench($plugin, config=CONFIG) as b:

        def slow(received: Received) -> Reply:
            b.clock.elapse(2.0)
            return b.emsp.replies.ok()

        b.emsp.serve(SESSIONS, Interface.RECEIVER, slow)
        with capture_logs() as lines:
            answer = await b.cpo.publish(SESSIONS, objects.session(CPO, driver=EMSP), to=EMSP)
            await b.settle()

        assert answer.ok
        (line,) = [line for line in lines if line["event"] == "a session was slow"]
        assert line["seconds"] == 2.0
        assert not b.failures
'''

_README = """\
# $distribution

A plugin of the OCPI hub: a line for every charging session that was slow to pass.

Install it beside the hub, in the same environment:

```sh
pip install .
```

or put `$name.py` into the hub's `PLUGIN_FOLDER`. Then let it run: `plugins` in the hub's settings names every plugin
that runs, in order.

```toml
plugins = "rate_limit, message_log, schema_check, $name"

[plugin.$name]
slow_s = 2.0
```

`pip install '.[test]'` and `pytest` run its tests, at a hub in the same process.
"""


class NotWritten(HubError):
    """The files were not written; the sentence says why."""


def write(name: str, folder: Path) -> list[Path]:
    """Writes the folder `name` with a distribution into `folder`; the files it wrote. Raises NotWritten: for a name
    that cannot be a plugin's or a module's, and when the folder exists.
    """
    if not NAME.fullmatch(name):
        raise NotWritten(
            f"{name!r} cannot be a plugin's name: take at most 40 lower case letters, digits and underscores, a letter "
            "first"
        )
    home = folder / name
    if home.exists():
        raise NotWritten(f"{home} exists: remove it, or give the plugin another name")
    # Its file is a module at the top, and `PluginConfig` would be its configuration's class.
    if keyword.iskeyword(name) or importlib.util.find_spec(name) is not None or name == "plugin":
        raise NotWritten(f"{name!r} means something else already: give the plugin another name")
    written = {home / file: Template(text).substitute(_words(name)) for file, text in _files(name).items()}
    try:
        home.mkdir()
        for path, text in written.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotWritten(f"{home} cannot be written: {error.strerror}") from None
    return list(written)


def _files(name: str) -> Mapping[str, str]:
    return {"pyproject.toml": _PYPROJECT, f"{name}.py": _MODULE, f"test_{name}.py": _TEST, "README.md": _README}


def _words(name: str) -> Mapping[str, str]:
    camel = "".join(part.capitalize() for part in name.split("_"))
    return {
        "name": name,
        "plugin": f"{camel}Plugin",
        "config": f"{camel}Config",
        "distribution": "ocpi-hub-" + re.sub("_+", "-", name).strip("-"),
        "entry_points": ENTRY_POINTS,
    }
