"""Agreements by example: which one decides."""

import pytest

from hub.domain.agreements import Agreement, Agreements, Ruling, Side
from hub.ocpi.names import Role
from tests.unit.domain.platforms import party

CPA, EMA = (party("NL/CPA"), Role.CPO), (party("NL/EMA"), Role.EMSP)
ANY = Side()


def agreement(name: str, origin: Side, target: Side, *modules: str, allow: bool) -> Agreement:
    return Agreement(name, origin, target, frozenset(modules) or None, allow)


@pytest.mark.parametrize("default_open", [True, False])
def test_the_default_holds_where_nothing_fits(default_open: bool) -> None:
    other = agreement("a", Side("DE"), ANY, allow=not default_open)

    for made in ([], [other]):
        agreements = Agreements(made, default_open=default_open)
        assert agreements.ruling(EMA, CPA, "locations") == Ruling(default_open, None)
        assert agreements.acquainted(EMA, CPA) is default_open


def test_it_is_about_who_starts() -> None:
    agreements = Agreements([agreement("a", Side("NL", "EMA"), ANY, allow=True)], default_open=False)

    assert agreements.ruling(EMA, CPA, "locations").allowed
    assert not agreements.ruling(CPA, EMA, "locations").allowed
    # Yet both know each other (ruling 19).
    assert agreements.acquainted(CPA, EMA)


def test_the_one_that_names_most_wins() -> None:
    all_closed = agreement("1", ANY, ANY, allow=False)
    emsps = agreement("2", Side(role=Role.EMSP), ANY, allow=True)
    tariffs = agreement("3", Side(role=Role.EMSP), ANY, "tariffs", "cdrs", allow=False)
    one_pair = agreement("4", Side("NL", "EMA"), Side("nl", "cpa"), allow=True)
    agreements = Agreements([one_pair, all_closed, tariffs, emsps])

    def ruled(origin: str, target: str, module: str) -> tuple[bool, str | None]:
        ruling = agreements.ruling((party(origin), Role.EMSP), (party(target), Role.CPO), module)
        return ruling.allowed, None if ruling.agreement is None else ruling.agreement.id

    assert ruled("NL/EMA", "NL/CPA", "tariffs") == (True, "4")
    assert ruled("NL/EMA", "BE/CPB", "tariffs") == (False, "3")
    assert ruled("NL/EMA", "BE/CPB", "locations") == (True, "2")
    assert agreements.ruling(CPA, EMA, "locations") == Ruling(False, all_closed)
    assert [one.id for one in agreements.every] == ["4", "3", "2", "1"]


def test_many_modules_name_as_much_as_one() -> None:
    one = agreement("a", Side("NL"), ANY, "locations", allow=True)
    many = agreement("b", Side("NL"), ANY, "locations", "tariffs", "cdrs", allow=False)

    assert Agreements([one, many]).ruling(EMA, CPA, "locations") == Ruling(False, many)


def test_of_two_that_name_equally_much_the_one_that_forbids_wins() -> None:
    by_country = agreement("a", Side("NL"), ANY, allow=True)
    by_role = agreement("b", ANY, Side(role=Role.CPO), allow=False)

    for made in ([by_country, by_role], [by_role, by_country]):
        assert Agreements(made).ruling(EMA, CPA, "locations") == Ruling(False, by_role)


def test_country_and_party_are_compared_without_regard_to_case() -> None:
    agreements = Agreements([agreement("a", Side("nl", "eMa"), Side("Nl", "CpA"), allow=False)])

    assert not agreements.ruling((party("NL/ema"), Role.EMSP), (party("nL/cpa"), Role.CPO), "tokens").allowed
    assert agreements.ruling((party("NL/EMB"), Role.EMSP), CPA, "tokens").allowed


def test_who_acts_in_several_roles_may_what_any_of_them_may() -> None:
    emsps = agreement("a", Side(role=Role.EMSP), ANY, allow=True)
    cpos = agreement("b", Side(role=Role.CPO), ANY, allow=False)
    agreements = Agreements([emsps, cpos], default_open=False)
    duo = party("FR/DUO")

    assert agreements.between(duo, {Role.CPO, Role.EMSP}, CPA, "tokens") == Ruling(True, emsps)
    assert agreements.between(duo, {Role.CPO}, CPA, "tokens") == Ruling(False, cpos)
    assert agreements.between(duo, {Role.CPO, Role.NSP}, CPA, "tokens") == Ruling(False, cpos)
    assert not agreements.between(duo, set(), CPA, "tokens").allowed


def test_one_module_in_common_is_enough_to_know_each_other() -> None:
    closed = agreement("a", ANY, ANY, allow=False)
    custom = agreement("b", Side("NL", "CPA"), Side("NL", "EMA"), "x-own", allow=True)

    assert not Agreements([closed]).acquainted(EMA, CPA)
    assert Agreements([closed, custom]).acquainted(EMA, CPA)
    assert not Agreements([closed, custom]).acquainted((party("DE/EMB"), Role.EMSP), CPA)


def test_what_is_forbidden_module_by_module_leaves_the_rest() -> None:
    tokens = agreement("a", ANY, ANY, "tokens", allow=False)

    assert Agreements([tokens]).acquainted(EMA, CPA)
    every = agreement(
        "b",
        ANY,
        ANY,
        *("cdrs", "chargingprofiles", "commands", "locations", "sessions", "tariffs", "tokens"),
        allow=False,
    )
    assert not Agreements([every]).acquainted(EMA, CPA)
