"""Numbered schema steps: which of them a database still needs. How a step is applied is each store's own business."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hub.errors import StoreUnavailable

Apply = TypeVar("Apply")


@dataclass(frozen=True, slots=True)
class Step(Generic[Apply]):
    """One change of the schema. Numbers start at 1, grow by one and are never reused."""

    number: int
    title: str
    apply: Apply


def pending(steps: Sequence[Step[Apply]], version: int) -> Sequence[Step[Apply]]:
    """The steps a database at `version` lacks, in order. Raises StoreUnavailable when it is newer than this program."""
    newest = steps[-1].number
    if version > newest:
        raise StoreUnavailable(
            f"the database has schema {version}, this version of the hub knows {newest} at most: "
            "start the newer version again, or restore a backup made before it"
        )
    return [step for step in steps if step.number > version]
