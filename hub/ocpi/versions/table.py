"""What a version table is made of, and how a path is looked up in it (section 2 of the endpoint tables, R-013,
R-105).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from hub.ocpi.names import Interface

OWNER = ("{country_code}", "{party_id}")


@dataclass(frozen=True, slots=True)
class Shape:
    """One path shape below an endpoint and the methods it takes; `{name}` segments match any text."""

    path: str
    methods: tuple[str, ...]
    body_optional: bool = False
    segments: tuple[str, ...] = field(init=False)
    owned: bool = field(init=False)
    literals: tuple[tuple[int, str], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        segments = tuple(self.path.split("/")) if self.path else ()
        literals = tuple((position, text) for position, text in enumerate(segments) if text[0] != "{")
        object.__setattr__(self, "literals", literals)
        object.__setattr__(self, "segments", segments)
        object.__setattr__(self, "owned", segments[:2] == OWNER)

    def fits(self, segments: tuple[str, ...]) -> bool:
        """Whether the literal segments agree and none is empty; both have the same length."""
        return "" not in segments and all(segments[position] == literal for position, literal in self.literals)


class Match(NamedTuple):
    """A request that the table allows: its module table, its shape and the raw (still encoded) path segments."""

    table: "ModuleTable"
    shape: Shape
    segments: tuple[str, ...]

    @property
    def is_list(self) -> bool:
        """A GET of the bare endpoint returns a list, page by page."""
        return not self.segments


class WrongMethod(NamedTuple):
    """The path is known, the method is not: `allow` is what the path takes."""

    allow: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ModuleTable:
    """The shapes of one module and interface. `takes_response_url`: requests carry a URL for an asynchronous result."""

    module: str
    interface: Interface
    shapes: tuple[Shape, ...]
    takes_response_url: bool = False
    by_length: dict[int, tuple[Shape, ...]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        lengths: dict[int, tuple[Shape, ...]] = {}
        for shape in self.shapes:
            lengths[len(shape.segments)] = (*lengths.get(len(shape.segments), ()), shape)
        object.__setattr__(self, "by_length", lengths)

    def look_up(self, method: str, segments: tuple[str, ...]) -> Match | WrongMethod | None:
        """The match of a path, what its shapes allow instead of this method, or None for an unknown path."""
        allow: list[str] = []
        for shape in self.by_length.get(len(segments), ()):
            if shape.fits(segments):
                if method in shape.methods:
                    return Match(self, shape, segments)
                allow += shape.methods
        return WrongMethod(tuple(dict.fromkeys(allow))) if allow else None


@dataclass(frozen=True, slots=True)
class VersionTable:
    """One version: its functional modules and the configuration endpoints that version details list besides them."""

    version: str
    modules: tuple[ModuleTable, ...]
    configuration: tuple[tuple[str, Interface], ...]
    by_endpoint: dict[tuple[str, Interface], ModuleTable] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_endpoint", {(table.module, table.interface): table for table in self.modules})
