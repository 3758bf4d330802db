"""`ocpi-hub agreement` against a hub in a process of its own."""

from collections.abc import Callable, Iterator

import pytest

from hub.ocpi.names import Role
from tests.unit.cli.conftest import BesidePlatform, Cli

Beside = Callable[..., BesidePlatform]


@pytest.fixture(autouse=True)
def no_agreements_left(cli: Cli) -> Iterator[None]:
    """They count for everybody at the hub, so for the tests that come after."""
    yield
    for row in cli.json("agreement", "list"):
        cli.done("agreement", "remove", row["id"])


def registered(cli: Cli, beside: Beside, name: str, *roles: tuple[Role, str, str]) -> str:
    invited = cli.json("platform", "invite", name)
    made = beside(name, *roles)
    assert made.run(made.platform.register, invited["versions_url"], invited["registration_token"]).ok
    return str(invited["id"])


def test_the_life_of_an_agreement(cli: Cli) -> None:
    made = cli.done(
        "agreement", "set", "a.1", "--from", "role=emsp", "--to", "*:nl:cpa", "--module", "cdrs", "--forbid"
    )
    cli.done("agreement", "set", "b", "--from", "any", "--to", "CPO:NL:*", "--module", "*", "--allow")

    table = [line.split() for line in cli.done("agreement", "list").splitlines()]
    rows = cli.json("agreement", "list")
    ended = cli.done("agreement", "remove", "a.1")

    assert made.strip() == "a.1: any EMSP may not turn to NL/CPA about cdrs"
    assert table == [
        ["ID", "FROM", "TO", "MODULES"],
        ["a.1", "EMSP:*:*", "*:NL:CPA", "cdrs", "forbidden"],
        ["b", "any", "CPO:NL:*", "*", "allowed"],
    ]
    assert [row["id"] for row in rows] == ["a.1", "b"]
    assert "it said: any EMSP may not turn to NL/CPA about cdrs" in ended
    assert [row["id"] for row in cli.json("agreement", "list")] == ["b"]
    assert "There is no agreement a.1" in cli.refused("agreement", "remove", "a.1")


def test_several_modules(cli: Cli) -> None:
    row = cli.json(
        "agreement", "set", "a", "--from", "any", "--to", "any", "--module", "cdrs", "--module", "nltnm-x", "--allow"
    )

    assert (row["modules"], row["allow"]) == (["cdrs", "nltnm-x"], True)


def test_what_the_hub_refuses_is_told_in_its_words(cli: Cli) -> None:
    told = cli.refused("agreement", "set", "a", "--from", "any", "--to", "any", "--module", "location", "--allow")

    assert told.startswith("Error: A module is one of cdrs, ")


def test_explaining_a_request(cli: Cli, beside: Beside) -> None:
    cpo_id = registered(cli, beside, "Explained CPO", (Role.CPO, "NL", "EXC"))
    registered(cli, beside, "Explained eMSP", (Role.EMSP, "NL", "EXE"))
    parties = ("--from", "nl/exe", "--to", "NL:EXC")
    question = ("agreement", "explain", *parties, "--module", "locations", "--interface", "sender")

    passes = cli.done(*question)
    cli.done(
        "agreement",
        "set",
        "no",
        "--from",
        "country_code=nl, party_id=EXE",
        "--to",
        "CPO:*:*",
        "--module",
        "locations",
        "--forbid",
    )
    refused = cli.done(*question)
    as_json = cli.json(*question)

    assert passes.strip() == (
        "NL/EXE may turn to NL/EXC about locations, by default: no agreement fits, and the hub is open; "
        f"the hub would send it to NL/EXC on platform Explained CPO ({cpo_id})."
    )
    assert "NL/EXE may not turn to NL/EXC about locations, by agreement no; " in refused
    assert "4001" in refused
    assert (as_json["allowed"], as_json["rule"]["id"], as_json["would"]["status_code"]) == (False, "no", 4001)


def test_explaining_what_is_for_everybody(cli: Cli, beside: Beside) -> None:
    registered(cli, beside, "Loud CPO", (Role.CPO, "NL", "LOU"))
    registered(cli, beside, "Listener", (Role.NSP, "NL", "LIS"))

    def explained(*options: str) -> str:
        return cli.done("agreement", "explain", *options)

    told = explained("--from", "CPO:NL:LOU", "--to", "NL/HUB", "--module", "locations")
    nobody = explained("--from", "NL/LOU", "--module", "cdrs")
    unknown = explained("--from", "XX/ZZZ", "--to", "NL/LOU", "--module", "locations", "--method", "PATCH")
    wrong = explained("--from", "NL/LOU", "--to", "NL/LIS", "--module", "locations", "--method", "DELETE")

    assert "the hub would keep it and tell " in told
    assert "NL/LIS" in told.splitlines()[-1]
    assert "names no receiver for cdrs; the hub would find the receiver by what the message is about" in nobody
    assert "XX/ZZZ is not a party of any platform here" in unknown
    assert "405" in wrong
