"""What follows from a fact, besides what it changed in the scene."""

from dataclasses import dataclass, field

from plugins.load_manager.steering.outcome import Outcome


@dataclass(slots=True)
class Stir:
    """What follows: `trees` to plan again, `at_once` or a moment later. `capacities`, `boards` and so on: what to keep
    before anybody is answered. `repeated`: the signal was heard before; `late`: the result is not about the newest
    profile. `pull`: CPOs to ask for their sessions; `look_up`: a location to read in the catalog; `outcome`: what an
    operator is told, if not only that it is done.
    """

    trees: set[str] = field(default_factory=set)
    at_once: bool = False
    capacities: set[str] = field(default_factory=set)
    boards: set[str] = field(default_factory=set)
    grid: bool = False
    mode: bool = False
    heard: bool = False
    known: bool = False
    repeated: bool = False
    late: bool = False
    pull: set[str] = field(default_factory=set)
    look_up: tuple[str, str] | None = None
    outcome: Outcome | None = None
