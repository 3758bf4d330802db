"""What one row of the endpoint table is."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

from hub.broker.refusal import Refusal
from hub.web.admin.inputs import Input
from hub.web.admin.outputs import Output
from hub.web.admin.parts import AdminParts

InputT = TypeVar("InputT", bound=Input)

# A call: the parts, the values of the path, and what was sent; gives its output or why not.
Serve = Callable[[AdminParts, Mapping[str, str], InputT], Awaitable[Output | Refusal]]

_NAMES = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Endpoint(Generic[InputT]):
    """One call. `takes` is read from the query of a GET and from the body otherwise; `status` is that of success.

    `also` has the status of further outputs it may give; `refusals` are HTTP statuses it may answer beyond those that
    every call may.
    """

    method: str
    path: str
    summary: str
    serve: Serve[InputT]
    takes: type[InputT]
    gives: type[Output]
    status: int = 200
    also: Mapping[int, type[Output]] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()

    @property
    def operation(self) -> str:
        """The name of the call in the OpenAPI document."""
        return getattr(self.serve, "__name__", self.path)

    def status_of(self, result: Output) -> int:
        """The HTTP status of a success."""
        return next((status for status, kind in self.also.items() if type(result) is kind), self.status)

    @property
    def reads_query(self) -> bool:
        return self.method == "GET"

    @property
    def path_names(self) -> list[str]:
        return _NAMES.findall(self.path)

    def values_in(self, path: str) -> dict[str, str] | None:
        """The values of a raw path below the prefix, decoded; None when the path is not this call's."""
        match = re.fullmatch(_NAMES.sub(r"(?P<\1>[^/]+)", self.path), path)
        return None if match is None else {name: unquote(value) for name, value in match.groupdict().items()}
