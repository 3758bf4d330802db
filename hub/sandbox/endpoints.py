"""Which endpoints a simulated platform serves, where, and what it advertises; how a request path is matched to one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.sandbox.parties import RoleLike

VERSION = "2.2.1"
ROOT = "/ocpi"
CALLBACK_ROOT = "/cb"

# Module words of requests that belong to no endpoint of version details.
VERSION_DETAILS = "version_details"
CALLBACK = "callback"

_S, _R = Interface.SENDER, Interface.RECEIVER

FUNCTIONAL_MODULES = (
    names.CDRS,
    names.CHARGING_PROFILES,
    names.COMMANDS,
    names.LOCATIONS,
    names.SESSIONS,
    names.TARIFFS,
    names.TOKENS,
)

EVERYTHING: tuple[tuple[str, Interface], ...] = (
    *((module, _S) for module in FUNCTIONAL_MODULES),
    *((module, _R) for module in FUNCTIONAL_MODULES),
    (names.HUB_CLIENT_INFO, _R),
)

DEFAULTS: dict[Role, tuple[tuple[str, Interface], ...]] = {
    Role.CPO: (
        (names.LOCATIONS, _S),
        (names.SESSIONS, _S),
        (names.CDRS, _S),
        (names.TARIFFS, _S),
        (names.TOKENS, _R),
        (names.COMMANDS, _R),
        (names.CHARGING_PROFILES, _R),
        (names.HUB_CLIENT_INFO, _R),
    ),
    Role.EMSP: (
        (names.TOKENS, _S),
        (names.COMMANDS, _S),
        (names.CHARGING_PROFILES, _S),
        (names.LOCATIONS, _R),
        (names.SESSIONS, _R),
        (names.CDRS, _R),
        (names.TARIFFS, _R),
        (names.HUB_CLIENT_INFO, _R),
    ),
    Role.SCSP: ((names.CHARGING_PROFILES, _S), (names.SESSIONS, _R)),
    Role.NSP: ((names.LOCATIONS, _R), (names.TARIFFS, _R)),
    Role.NAP: ((names.LOCATIONS, _R), (names.TARIFFS, _R)),
    Role.OTHER: ((names.TOKENS, _S), (names.LOCATIONS, _R)),
    Role.HUB: (*((module, side) for module in FUNCTIONAL_MODULES for side in (_S, _R)), (names.HUB_CLIENT_INFO, _S)),
}


@dataclass(frozen=True, slots=True)
class ServedEndpoint:
    """One endpoint. `path` is where it is served, `advertised` what version details say instead.

    Without a `path` it is `/ocpi/2.2.1/s/{module}` for a SENDER and `.../r/{module}` for a RECEIVER. `advertised` may
    be a path (also with a trailing slash or a query of its own) or a whole URL that leads anywhere else.
    """

    module: str
    interface: Interface
    path: str = ""
    advertised: str = ""

    @property
    def served_path(self) -> str:
        side = "s" if self.interface is Interface.SENDER else "r"
        return (self.path or f"{ROOT}/{VERSION}/{side}/{self.module}").rstrip("/")

    def url(self, base_url: str) -> str:
        """What others are told, absolute."""
        told = self.advertised or self.served_path
        return told if "://" in told else base_url + told


EndpointLike = ServedEndpoint | tuple[str, Interface]


@dataclass(frozen=True, slots=True)
class Target:
    """What a request path leads to. `tail` is the raw path below it; `module` is None when nothing is served there."""

    module: str | None
    interface: Interface | None
    tail: str


def endpoints_for(roles: Iterable[RoleLike], modules: Iterable[EndpointLike] | None) -> tuple[ServedEndpoint, ...]:
    """The endpoints of a platform: the given ones, or the usual set of its roles when none are given."""
    if modules is None:
        modules = dict.fromkeys(pair for role, _, _ in roles for pair in DEFAULTS[role])
    return tuple(one if isinstance(one, ServedEndpoint) else ServedEndpoint(*one) for one in modules)


class Directory:
    """Looks paths up among the endpoints of one platform; the longest path wins."""

    def __init__(self, endpoints: Sequence[ServedEndpoint]) -> None:
        self.endpoints = tuple(endpoints)
        fixed = [
            (f"{ROOT}/versions", names.VERSIONS, None),
            (f"{ROOT}/{VERSION}/credentials", names.CREDENTIALS, None),
            (CALLBACK_ROOT, CALLBACK, None),
        ]
        served = [(one.served_path, one.module, one.interface) for one in self.endpoints]
        self._roots: list[tuple[str, str, Interface | None]] = sorted([*fixed, *served], key=lambda row: -len(row[0]))

    def find(self, path: str) -> Target:
        """Where a raw request path (no query) leads."""
        if path.rstrip("/") == f"{ROOT}/{VERSION}":
            return Target(VERSION_DETAILS, None, "")
        for root, module, interface in self._roots:
            if path == root or path.startswith(f"{root}/"):
                return Target(module, interface, path[len(root) + 1 :])
        return Target(None, None, path.lstrip("/"))

    def get(self, module: str, interface: Interface) -> ServedEndpoint | None:
        return next((one for one in self.endpoints if (one.module, one.interface) == (module, interface)), None)

    def details(self, base_url: str) -> dict[str, object]:
        """Version details as this platform publishes them."""
        rows = [
            {
                "identifier": names.CREDENTIALS,
                "role": Interface.SENDER.value,
                "url": f"{base_url}{ROOT}/{VERSION}/credentials",
            }
        ]
        rows += [
            {"identifier": one.module, "role": one.interface.value, "url": one.url(base_url)} for one in self.endpoints
        ]
        return {"version": VERSION, "endpoints": rows}
