"""How what is known goes to the shelf: one document per thing, under `<prefix>/<key>`, so that one change writes one
small document.
"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, Generic, TypeVar

from hub.ocpi import codec
from plugins.load_manager.strides import Strides, at_once

K = TypeVar("K", bound=str)
T = TypeVar("T")

Documents = dict[str, object]
"""JSON values by shelf key."""


class Shelved(Generic[K, T]):
    """Things by key that know which of them are not yet on the shelf as they are now."""

    prefix: ClassVar[str]
    kind: ClassVar[type[object]]

    def __init__(self) -> None:
        self._kept: dict[K, T] = {}
        self._touched: dict[K, None] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: K) -> bool:
        return key in self._kept

    def find(self, key: K) -> T | None:
        """The thing, if it is known."""
        return self._kept.get(key)

    def items(self) -> Iterable[tuple[K, T]]:
        """Everything known."""
        return self._kept.items()

    def forget(self, key: K) -> None:
        """Takes it out, if it is there."""
        if self._kept.pop(key, None) is not None:
            self._touched[key] = None

    def to_json(self) -> Documents:
        """Everything, as it stands on the shelf when all is saved."""
        return {self._shelf_key(key): codec.to_plain(thing) for key, thing in self._kept.items()}

    def changes(self) -> dict[str, object | None]:
        """What must be saved since the last call, None for what must be removed. A caller whose save fails hands the
        keys back with `unsaved`.
        """
        return at_once(self.changing())

    def changing(self) -> Strides[dict[str, object | None]]:
        """The same in strides."""
        touched, self._touched = self._touched, {}
        found: dict[str, object | None] = {}
        for key in touched:
            yield
            thing = self._kept.get(key)
            found[self._shelf_key(key)] = None if thing is None else codec.to_plain(thing)
        return found

    def unsaved(self, shelf_keys: Iterable[str]) -> None:
        """These are not on the shelf after all."""
        for shelf_key in shelf_keys:
            self._touched[self._own_key(shelf_key)] = None

    def from_json(self, documents: Mapping[str, object]) -> None:
        """Takes over what the shelf has under this prefix. Raises ValueError when a document is not one of these."""
        at_once(self.restoring(documents))

    def restoring(self, documents: Mapping[str, object]) -> Strides[None]:
        """The same in strides."""
        for shelf_key in sorted(key for key in documents if key.startswith(f"{self.prefix}/")):
            yield
            thing: T = codec.from_plain(self.kind, documents[shelf_key])  # type: ignore[assignment]
            self._restored(self._own_key(shelf_key), thing)

    def _restored(self, key: K, thing: T) -> None:
        self._kept[key] = thing

    def _touch(self, key: K) -> None:
        self._touched[key] = None

    def _shelf_key(self, key: K) -> str:
        return f"{self.prefix}/{key}"

    def _own_key(self, shelf_key: str) -> K:
        return shelf_key[len(self.prefix) + 1 :]  # type: ignore[return-value]
