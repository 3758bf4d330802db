"""What an operator is told when a call cannot be carried out: a value, with the words a person can act on."""

from dataclasses import dataclass
from enum import StrEnum


class RefusalKind(StrEnum):
    """Why not: nothing there, at odds with what is there, not usable as given, a part that names nothing, or a platform
    did not do its part.
    """

    UNKNOWN = "unknown"
    CONFLICT = "conflict"
    INVALID = "invalid"
    EMPTY = "empty"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """`title` is one sentence, `detail` more of the same; `pointer` (JSON Pointer) names the member that is wrong."""

    kind: RefusalKind
    title: str
    detail: str | None = None
    pointer: str | None = None
