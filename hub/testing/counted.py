"""A store that knows how many of its operations are under way."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, cast

from hub.store.ports import Store


class UnderWay:
    """How many operations are under way."""

    def __init__(self) -> None:
        self.count = 0


class _Port:
    """One port of the store, or the store itself, with every operation counted."""

    def __init__(self, inner: object, under_way: UnderWay) -> None:
        self._inner = inner
        self._under_way = under_way

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(found):
            return found
        counted = self._counted(found)
        setattr(self, name, counted)
        return counted

    def _counted(self, operation: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def count(*args: object, **named: object) -> object:
            self._under_way.count += 1
            try:
                return await operation(*args, **named)
            finally:
                self._under_way.count -= 1

        return count


def counted(store: Store, under_way: UnderWay) -> Store:
    """The same store; `under_way` counts what goes on in it."""
    whole = _Port(store, under_way)
    for name in Store.__annotations__:
        setattr(whole, name, _Port(getattr(store, name), under_way))
    return cast("Store", whole)
