"""Parties are the same whatever their case, and only well formed ones are read from text."""

import pytest

from hub.ocpi.names import Role
from hub.ocpi.party_id import PartyId, parse_party, party, role_key, well_formed


def test_case_makes_no_other_party() -> None:
    lower, upper = PartyId("nl", "abc"), PartyId("NL", "ABC")

    assert lower == upper
    assert hash(lower) == hash(upper)
    assert {lower: 1}[upper] == 1
    assert (str(lower), str(upper)) == ("nl/abc", "NL/ABC")


@pytest.mark.parametrize("other", [PartyId("NL", "ABD"), PartyId("DE", "ABC"), PartyId("NLA", "BC"), "nl*abc", None])
def test_other_parties_and_other_things_are_not_equal(other: object) -> None:
    assert PartyId("NL", "ABC") != other


def test_the_same_spelling_is_the_same_object_unless_it_can_be_no_party() -> None:
    assert party("NL", "ABC") is party("NL", "ABC")
    assert str(party("nl", "ABC")) == "nl/ABC"
    for too_long in (("NLD", "ABC"), ("NL", "ABCD"), ("NL", "A" * 5000)):
        assert party(*too_long) is not party(*too_long)
    assert party("NL", "A" * 5000) == party("nl", "a" * 5000)


def test_a_triple_has_one_key() -> None:
    assert role_key(Role.CPO, PartyId("NL", "aBc")) == "CPO*nl*abc"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("NL/ABC", ("NL", "ABC")), ("nl*a1", ("nl", "a1")), ("DE/X", ("DE", "X"))],
)
def test_parties_read_from_text(text: str, expected: tuple[str, str]) -> None:
    found = parse_party(text)

    assert found is not None
    assert (found.country_code, found.party_id) == expected


@pytest.mark.parametrize(
    "text", ["", "NLABC", "N/ABC", "NLD/ABC", "NL/", "NL/ABCD", "N1/ABC", "NL/A-C", "ÅÅ/ABC", "NL/²"]
)
def test_texts_that_are_no_party(text: str) -> None:
    assert parse_party(text) is None


def test_lengths_and_alphabet() -> None:
    assert well_formed("nl", "a2c")
    assert not well_formed("n2", "abc")
    assert not well_formed("nl", "a c")
