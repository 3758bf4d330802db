"""Who leaves, what of theirs nobody has any more, and a party that goes to another platform."""

from dataclasses import replace
from datetime import timedelta

from hub.domain.leaving import handed_over, ownerless, parties_on, useless_for
from hub.domain.platform import PlatformSettings
from hub.domain.registry import RegistrySnapshot
from hub.ocpi.names import Role
from tests.unit.domain.platforms import NOW, S, behind, hosted, party, platform, reserved

LATER = NOW + timedelta(hours=1)
EVERYTHING = frozenset({"locations", "tariffs", "tokens"})
P1 = platform("P1", [hosted(Role.CPO, "NL/CPA"), hosted(Role.CPO, "FR/DUO")], [("locations", S)])
P2 = platform("P2", [hosted(Role.EMSP, "NL/EMA"), hosted(Role.EMSP, "fr/duo")], [("tokens", S)])
H1 = platform("H1", [hosted(Role.HUB, "ES/HB1")], reported=[behind(Role.CPO, "ES/CPS"), behind(Role.CPO, "NL/CPA")])


def test_a_peer_hub_speaks_for_those_behind_it() -> None:
    assert {str(one) for one in parties_on(P1)} == {"NL/CPA", "FR/DUO"}
    assert {str(one) for one in parties_on(H1)} == {"ES/HB1", "ES/CPS", "NL/CPA"}
    assert parties_on(replace(P1, reported=H1.reported)) == parties_on(P1)


def test_who_owns_nothing_in_which_module() -> None:
    both = RegistrySnapshot([P1, P2])
    duo, cpa = party("FR/DUO"), party("NL/CPA")

    assert ownerless(both, [duo]) == {}
    assert ownerless(both.without("P1"), [duo]) == {duo: {"locations", "tariffs"}}
    assert ownerless(both.without("P2"), [duo]) == {duo: {"tokens"}}
    assert ownerless(RegistrySnapshot([]), [duo, cpa]) == {duo: EVERYTHING, cpa: EVERYTHING}
    # Somebody behind a peer hub still publishes, wherever else the party has left.
    assert ownerless(RegistrySnapshot([P2, H1]), [cpa]) == {cpa: {"tokens"}}


def test_one_that_is_suspended_or_has_unregistered_still_owns_what_it_has() -> None:
    away = replace(P1, suspended=True, connection=None)

    assert ownerless(RegistrySnapshot([away]), [party("NL/CPA")]) == {party("NL/CPA"): {"tokens"}}


def test_what_a_role_is_reached_by() -> None:
    registry = RegistrySnapshot([P1, P2])

    assert useless_for(registry, P1, Role.CPO) is None
    assert useless_for(registry, P2, Role.EMSP) is None
    needed = useless_for(registry, P2, Role.CPO)
    assert needed is not None
    assert {"locations SENDER", "commands RECEIVER"} <= set(needed.split(", "))
    assert useless_for(registry, P2, Role.OTHER) is None
    overridden = replace(P2, settings=PlatformSettings(endpoint_overrides={"locations/SENDER": "https://x.test/l"}))
    assert useless_for(RegistrySnapshot([overridden]), overridden, Role.CPO) is None


def test_a_party_goes_with_all_it_is_and_is_reserved_where_it_goes() -> None:
    named = replace(reserved(Role.CPO, "nl/cpa"), name="Charge")
    giver = replace(P1, approved=(named, reserved(Role.CPO, "BE/NEW")))
    gone = replace(P1.roles[0], suspended=True)

    less, more = handed_over(giver, P2, gone, LATER)

    assert [str(role.party) for role in less.roles] == ["FR/DUO"]
    assert [str(name) for name in less.approved] == ["CPO BE/NEW"]
    assert more.roles == (*P2.roles, replace(gone, updated_at=LATER))
    assert more.approved == (named,)
    assert (less.revision, more.revision) == (giver.revision + 1, P2.revision + 1)
    assert handed_over(P1, P2, P1.roles[0], LATER)[1].approved == (reserved(Role.CPO, "NL/CPA"),)
