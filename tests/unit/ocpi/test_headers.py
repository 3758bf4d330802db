"""Routing headers in pairs, and message ids worth carrying."""

import pytest
from multidict import CIMultiDict

from hub.ocpi import headers
from hub.ocpi.headers import HalfPair, Routing, read_routing, routing_headers, unknown_ocpi_headers, usable_id
from hub.ocpi.party_id import PartyId

CPA, EMA = PartyId("NL", "CPA"), PartyId("NL", "EMA")


def test_what_is_written_is_read_back() -> None:
    assert read_routing(routing_headers(CPA, EMA)) == Routing(CPA, EMA)


def test_names_and_values_have_no_case_and_spelling_is_kept() -> None:
    routing = read_routing(CIMultiDict({"ocpi-TO-party-id": "cpa", "OCPI-To-Country-Code": "nl"}))

    assert routing == Routing(CPA, None)
    assert isinstance(routing, Routing)
    assert str(routing.to) == "nl/cpa"


@pytest.mark.parametrize("missing", [headers.TO_PARTY, headers.TO_COUNTRY, headers.FROM_PARTY, headers.FROM_COUNTRY])
@pytest.mark.parametrize("blank", [None, "", "   "])
def test_half_a_pair_names_the_missing_half(missing: str, blank: str | None) -> None:
    given = routing_headers(CPA, EMA)
    del given[missing]
    if blank is not None:
        given[missing] = blank

    assert read_routing(given) == HalfPair(missing)


def test_no_headers_and_blank_pairs_are_absent() -> None:
    assert read_routing({}) == Routing(None, None)
    assert read_routing({headers.TO_PARTY: " ", headers.TO_COUNTRY: ""}) == Routing(None, None)


def test_of_a_header_sent_twice_the_first_counts() -> None:
    given = CIMultiDict(
        [(headers.TO_PARTY, "CPA"), (headers.TO_PARTY, "CPB"), (headers.TO_COUNTRY, "NL"), (headers.TO_COUNTRY, "BE")]
    )

    assert read_routing(given) == Routing(CPA, None)


def test_lengths_are_not_judged_because_unknown_is_unknown() -> None:
    routing = read_routing({headers.TO_PARTY: "\udcff" * 3000, headers.TO_COUNTRY: "N"})

    assert isinstance(routing, Routing)
    assert routing.to is not None


@pytest.mark.parametrize("value", ["req-1", "0f8fad5b-d9cb-469f-a165-70867728950e", "a b", "x" * 128])
def test_ids_that_are_carried(value: str) -> None:
    assert usable_id(value) == value


@pytest.mark.parametrize("value", [None, "", "x" * 129, "a\nb", "a\x00", "é", "\udc80"])
def test_ids_that_are_replaced(value: str | None) -> None:
    assert usable_id(value) is None


def test_misspelt_headers_are_found() -> None:
    given = {**routing_headers(CPA, EMA), "OCPI-from-countrycode": "NL", "ocpi-to-party_id": "CPA", "Accept": "*/*"}

    assert unknown_ocpi_headers(given) == ["OCPI-from-countrycode", "ocpi-to-party_id"]
