"""The values a story leaves behind: steps and chapters, as they are shown and counted."""

from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the story. `route` names who it went through, `answer` both layers of the answer.

    `there_s` is the way to the receiver, `total_s` the whole round trip (None where it means nothing). A step without
    `problems` went well.
    """

    route: tuple[str, ...]
    message: str
    answer: str
    outcome: str
    total_s: float | None = None
    there_s: float | None = None
    problems: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading, a sentence about it, and its steps so far."""

    title: str
    about: str
    steps: list[Step] = field(default_factory=list)

    @property
    def passed(self) -> int:
        return sum(step.passed for step in self.steps)

    @property
    def median_s(self) -> float | None:
        """The median round trip of its messages; None without any."""
        times = [step.total_s for step in self.steps if step.total_s is not None]
        return median(times) if times else None
