"""mypy --strict accepts a correct plugin, and refuses wrong hook signatures and verdicts in the wrong phase."""

import asyncio
import sys
from pathlib import Path

HEAD = """
from collections.abc import Iterable

from hub.ocpi.party_id import PartyId
from hub.plugin import (
    Answer, Body, Change, Exchange, Leg, LocalParty, Narrow, PartyRequest, Phase, Plugin, PluginConfig, Reject,
    Reroute, Result, Skip, Take, Watch,
)


class Config(PluginConfig):
    limit: int = 5
"""

RIGHT = """
class Right(Plugin[Config]):
    name = "right"
    Config = Config

    def watches(self) -> Iterable[Watch]:
        yield Watch(phases={Phase.ROUTED, Phase.FORWARDING}, request=Body.CHANGE)

    def on_received(self, exchange: Exchange) -> Reject | None:
        return Reject(2001, "no") if self.config.limit < 1 else None

    async def on_routed(self, exchange: Exchange) -> Answer | Reject | Narrow | Reroute | Take | None:
        return Narrow(exchange.receivers[:self.config.limit])

    def on_forwarding(self, exchange: Exchange, leg: Leg) -> Change | Skip | None:
        return Change({**leg.body.value, "a": 1})

    async def on_answered(self, exchange: Exchange, leg: Leg) -> Change | None:
        return None

    async def on_result(self, exchange: Exchange, result: Result) -> Change | None:
        return None

    def on_finished(self, exchange: Exchange) -> None:
        exchange.state[list].append(exchange.module)

    async def handle(self, request: PartyRequest) -> Answer:
        return Answer(data=request.body.value)

    async def leave(self) -> None:
        await self.hub.shelf.remove("kept")
"""

# Each is a method of its own class, with the code by which mypy refuses it.
WRONG = [
    ("override", "def on_received(self, exchange: Exchange) -> Narrow | None: ..."),
    ("override", "async def on_received(self, exchange: Exchange) -> Take | None: ..."),
    ("override", "def on_routed(self, exchange: Exchange) -> Change | None: ..."),
    ("override", "def on_routed(self, exchange: Exchange, leg: Leg) -> None: ..."),
    ("override", "async def on_routed(self) -> None: ..."),
    ("override", "def on_forwarding(self, exchange: Exchange) -> None: ..."),
    ("override", "def on_forwarding(self, exchange: Exchange, leg: Leg) -> Reroute | None: ..."),
    ("override", "async def on_answered(self, exchange: Exchange, leg: Leg) -> Skip | None: ..."),
    ("override", "def on_result(self, exchange: Exchange, result: Result) -> Reject | None: ..."),
    ("override", "def on_finished(self, exchange: Exchange) -> Reject: ..."),
    ("override", "def on_finished(self, exchange: str) -> None: ..."),
    ("override", "async def handle(self, request: PartyRequest) -> Reject: ..."),
    ("override", "def leave(self) -> None: ..."),
    ("override", "async def leave(self, seconds: float) -> None: ..."),
    ("override", "def watches(self) -> Iterable[str]: ..."),
    ("attr-defined", "def on_finished(self, exchange: Exchange) -> None: print(self.config.limt)"),
    ("arg-type", 'def parties(self) -> Iterable[LocalParty]: yield LocalParty("CPO", "NL", "ABC", "Name")'),
    ("arg-type", "def watches(self) -> Iterable[Watch]: yield Watch(phases=Phase.ROUTED)"),
    ("return-value", "def on_routed(self, exchange: Exchange) -> Narrow | None: return Change()"),
]


async def checked(folder: Path, text: str) -> list[str]:
    """What mypy says about a file, line by line."""
    file = folder / "sample.py"
    file.write_text(HEAD + text)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "mypy", "--strict", "--no-error-summary", "--show-error-codes", "--no-color-output"),
        str(file),
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    return [line for line in out.decode().splitlines() if ": error:" in line]


async def test_a_correct_plugin_is_accepted_and_wrong_ones_are_refused(tmp_path: Path) -> None:
    lines = [f"class Wrong{number}(Plugin[Config]):\n    {method}\n" for number, (_, method) in enumerate(WRONG)]
    errors = await checked(tmp_path, RIGHT + "\n\n".join(["", *lines]))
    first = (HEAD + RIGHT).count("\n")
    assert not [error for error in errors if int(error.split(":")[1]) <= first], errors
    for number, (code, method) in enumerate(WRONG):
        at = (HEAD + RIGHT + "\n\n".join(["", *lines[: number + 1]])).count("\n")
        assert any(error.split(":")[1] == str(at) and f"[{code}]" in error for error in errors), (method, errors)
