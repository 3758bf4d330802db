"""Who speaks to whom: the roles that typically act on either side of each module and interface (R-059, module
tables).
"""

from hub.ocpi import names
from hub.ocpi.names import Interface, Role

_CPO_SIDE = frozenset({Role.CPO})
_PUBLISHERS = frozenset({Role.CPO, Role.NAP})
_READERS = frozenset({Role.EMSP, Role.NSP, Role.NAP, Role.OTHER})
_EMSP_SIDE = frozenset({Role.EMSP, Role.OTHER})
_SESSION_READERS = frozenset({Role.EMSP, Role.SCSP, Role.OTHER})
_PROFILE_TAKERS = frozenset({Role.CPO, Role.EMSP})

# module -> (roles that own its objects or take its commands, roles on the other side); "owner" serves the first
# interface
_SIDES: dict[str, tuple[Interface, frozenset[Role], frozenset[Role]]] = {
    names.LOCATIONS: (Interface.SENDER, _PUBLISHERS, _READERS),
    names.TARIFFS: (Interface.SENDER, _PUBLISHERS, _READERS),
    names.SESSIONS: (Interface.SENDER, _CPO_SIDE, _SESSION_READERS),
    names.CDRS: (Interface.SENDER, _CPO_SIDE, _EMSP_SIDE),
    names.TOKENS: (Interface.SENDER, _EMSP_SIDE, _CPO_SIDE),
    names.COMMANDS: (Interface.RECEIVER, _CPO_SIDE, _SESSION_READERS),
    names.CHARGING_PROFILES: (Interface.RECEIVER, _PROFILE_TAKERS, _SESSION_READERS),
}

_EVERYBODY = frozenset(Role)


def acting_roles(module: str, interface: Interface) -> tuple[frozenset[Role], frozenset[Role]]:
    """Roles of the requester and of the receiver for a call on this interface. A custom module says nothing: all
    roles.
    """
    sides = _SIDES.get(module)
    if sides is None:
        return _EVERYBODY, _EVERYBODY
    served_by_first, first, second = sides
    return (second, first) if interface is served_by_first else (first, second)


def broadcast_readers(module: str) -> frozenset[Role]:
    """Roles that a broadcast of this module reaches if they expose its RECEIVER interface (R-073)."""
    _, readers = acting_roles(module, Interface.RECEIVER)
    return readers | {Role.SCSP} if module in (names.LOCATIONS, names.TARIFFS) else readers


# A platform is of use to others in a role when it has at least one of these endpoints (R-171; applicability matrix).
# What a HUB or OTHER is good for nobody knows beforehand.
USEFUL_ENDPOINTS: dict[Role, frozenset[tuple[str, Interface]]] = {
    role: frozenset(
        (module, side)
        for module in _SIDES
        for side in Interface
        # the receiver of a call on this interface is the one who serves it
        if role in acting_roles(module, side)[1]
    )
    for role in Role
    if role not in (Role.HUB, Role.OTHER)
}
