"""A plugin under observation: the same class, with an eye on what its hooks raise and what they do to bodies that are
everybody's.
"""

import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from hub.ocpi import codec
from hub.plugin import BodyError, Content, Exchange, Leg, NotWatched, PartyRequest, Plugin, Result
from hub.plugin.inspecting import HOOKS

_OBSERVED = (*HOOKS, "handle")


class Notes:
    """What was seen, each thing once, in the order in which it was first seen."""

    def __init__(self) -> None:
        self.seen: dict[str, None] = {}

    def add(self, sentence: str) -> None:
        self.seen[sentence] = None

    def raised(self, hook: str, error: BaseException) -> None:
        """What is told: not that a body cannot be had, unless nobody asked for it."""
        if isinstance(error, NotWatched):
            self.add(f"{hook} looks at a body that no watch of the plugin asks for: {error}")
        elif not isinstance(error, BodyError):
            self.add(f"{hook} raised {type(error).__name__}: {error}")


def observed(kind: type[Plugin[Any]], notes: Notes) -> type[Plugin[Any]]:
    """A class that is `kind`, and tells `notes`."""
    members: dict[str, object] = {"__module__": kind.__module__, "__qualname__": kind.__qualname__}
    for name in _OBSERVED:
        if getattr(kind, name) is not getattr(Plugin, name):
            members[name] = _under_observation(name, notes)
    return type(kind.__name__, (kind,), members)


def _under_observation(name: str, notes: Notes) -> Callable[..., Any]:
    def call(self: object, first: Any, *rest: Any) -> Any:
        about = (first, *rest)
        try:
            given = getattr(super(type(self), self), name)(*about)
        except Exception as error:
            notes.raised(name, error)
            raise
        if inspect.isawaitable(given):
            return _awaited(name, given, about, notes)
        _look(name, about, notes)
        return given

    # Hooks with two arguments besides `self` have to show that they take them.
    call.__signature__ = inspect.signature(getattr(Plugin, name))  # type: ignore[attr-defined]
    return call


async def _awaited(name: str, given: Awaitable[Any], about: Sequence[object], notes: Notes) -> Any:
    try:
        value = await given
    except Exception as error:
        notes.raised(name, error)
        raise
    _look(name, about, notes)
    return value


def _look(name: str, about: Sequence[object], notes: Notes) -> None:
    for where, content in _bodies(about):
        try:
            value, raw = content.value, content.raw
        except BodyError:
            continue
        if value != (codec.loads(raw) if raw else None):
            notes.add(f"{name} changes {where}.value, which is everybody's: copy it, or return Change(body)")
            # The next hook is not to be blamed for it.
            content._value = codec.loads(raw)


def _bodies(about: Sequence[object]) -> Iterator[tuple[str, Content]]:
    for one in about:
        if isinstance(one, Exchange):
            yield from (("exchange.request", one.request), ("exchange.answer", one.answer))
            for leg in one.legs:
                yield from (("leg.body", leg.body), ("leg.answer", leg.answer))
        elif isinstance(one, Leg):
            yield from (("leg.body", one.body), ("leg.answer", one.answer))
        elif isinstance(one, Result):
            yield "result.body", one.body
        elif isinstance(one, PartyRequest):
            yield "request.body", one.body
