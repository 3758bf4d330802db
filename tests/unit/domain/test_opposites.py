"""Who acts on which side, and what makes a platform useful in a role."""

from itertools import product

import pytest

from hub.domain.opposites import USEFUL_ENDPOINTS, acting_roles, broadcast_readers
from hub.ocpi.names import Interface, Role
from tests.unit.domain.acting import ACTING
from tests.unit.domain.platforms import R, S


@pytest.mark.parametrize("endpoint", ACTING)
def test_the_sides_of_each_interface(endpoint: tuple[str, Interface]) -> None:
    assert acting_roles(*endpoint) == ACTING[endpoint]


def test_who_is_told_of_what_is_for_everybody() -> None:
    """R-073: an SCSP too, if it takes it."""
    consumers = {Role.EMSP, Role.NSP, Role.NAP, Role.OTHER, Role.SCSP}

    assert broadcast_readers("locations") == consumers
    assert broadcast_readers("tariffs") == consumers
    assert broadcast_readers("tokens") == {Role.CPO}


@pytest.mark.parametrize("side", list(Interface))
def test_of_a_custom_module_nothing_is_known(side: Interface) -> None:
    assert acting_roles("nltnm-tokens", side) == (frozenset(Role), frozenset(Role))


@pytest.mark.parametrize("role", [Role.CPO, Role.EMSP, Role.NSP, Role.NAP, Role.SCSP])
def test_a_role_is_of_use_with_an_interface_it_typically_serves(role: Role) -> None:
    assert USEFUL_ENDPOINTS[role] == {endpoint for endpoint, (_, servers) in ACTING.items() if role in servers}


def test_the_applicability_matrix_is_contained() -> None:
    """Section 3: S where a role serves the SENDER interface, R where it serves the RECEIVER interface."""
    columns = (Role.CPO, Role.EMSP, Role.NSP, Role.NAP, Role.SCSP)
    matrix = {
        "locations": ("S", "R", "R", "SR", ""),
        "tariffs": ("S", "R", "R", "SR", ""),
        "sessions": ("S", "R", "", "", "R"),
        "cdrs": ("S", "R", "", "", ""),
        "tokens": ("R", "S", "", "", ""),
        "commands": ("R", "S", "", "", ""),
        "chargingprofiles": ("R", "", "", "", "S"),
    }

    for (module, cells), (column, role) in product(matrix.items(), enumerate(columns)):
        for letter, side in (("S", S), ("R", R)):
            if letter in cells[column]:
                assert (module, side) in USEFUL_ENDPOINTS[role]
