"""Objects of the configuration modules: read tolerantly, refused in a sentence that repeats nothing."""

from typing import Any

import pytest

from hub.ocpi import codec, configuration
from hub.ocpi.configuration import BusinessDetails, Credentials, EndpointRow, Version, VersionDetails, read, read_list
from hub.ocpi.names import Interface, Role

SECRET = "hush-7c1d"  # in every value that is wrong below

ROLE: dict[str, Any] = {"role": "CPO", "party_id": "ABC", "country_code": "NL", "business_details": {"name": "A"}}
CREDENTIALS: dict[str, Any] = {"token": "t", "url": "https://x.test/versions", "roles": [ROLE]}


def test_credentials_as_a_platform_sends_them() -> None:
    found = read(Credentials, {**CREDENTIALS, "hub_party_id": "NLHUB", "x_unknown": {"y": 1}})

    assert isinstance(found, Credentials)
    assert (found.token, found.url) == ("t", "https://x.test/versions")
    assert [(role.role, role.country_code, role.party_id) for role in found.roles] == [(Role.CPO, "NL", "ABC")]


def test_credentials_shown_do_not_show_the_token() -> None:
    found = read(Credentials, {**CREDENTIALS, "token": SECRET})

    assert isinstance(found, Credentials)
    assert found.token == SECRET
    assert SECRET not in f"{found!r} {found}"


def test_what_business_details_say_beyond_the_text_is_kept() -> None:
    given = {"name": "A", "website": None, "x_rating": 4, "logo": {"url": "https://x.test/l", "type": "png"}}
    found = read(BusinessDetails, given)

    assert isinstance(found, BusinessDetails)
    assert found.model_dump(mode="json", exclude_none=True) == {
        "name": "A",
        "x_rating": 4,
        "logo": {"url": "https://x.test/l", "type": "png"},
    }


@pytest.mark.parametrize("member", ["logo", "x_deep"])
def test_what_could_not_be_written_again_is_refused(member: str) -> None:
    def nested(levels: int) -> object:
        inner: object = {"b": 1}
        for _ in range(levels - 1):
            inner = {"a": inner} if member == "logo" else [inner]
        return inner

    deepest = read(BusinessDetails, {"name": "A", member: nested(configuration.MAX_DEPTH)})
    assert isinstance(deepest, BusinessDetails)
    assert codec.dumps(deepest.model_dump(mode="json"))
    too_deep = read(BusinessDetails, {"name": "A", member: nested(configuration.MAX_DEPTH + 1)})
    assert isinstance(too_deep, str)
    assert "levels deep" in too_deep
    assert isinstance(read(BusinessDetails, {"name": "A", member: nested(600)}), str)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"token": f"{SECRET} "}, "/token"),
        ({"token": f"{SECRET}\n"}, "/token"),
        ({"token": SECRET * 10}, "/token"),
        ({"token": ""}, "/token"),
        ({"token": {SECRET: SECRET}}, "/token"),
        ({"url": f"https://{SECRET}/" + "a" * 255}, "/url"),
        ({"url": "  "}, "/url"),
        ({"roles": []}, "/roles"),
        ({"roles": SECRET}, "/roles"),
        ({"roles": {SECRET: 1}}, "/roles"),
        ({"roles": [SECRET]}, "/roles/0"),
        ({"roles": [ROLE, {**ROLE, "role": SECRET}]}, "/roles/1/role"),
        ({"roles": [{**ROLE, "party_id": SECRET}]}, "/roles/0/party_id"),
        ({"roles": [{**ROLE, "party_id": "ABC\n"}]}, "/roles/0/party_id"),
        ({"roles": [{**ROLE, "country_code": SECRET}]}, "/roles/0/country_code"),
        ({"roles": [{**ROLE, "country_code": "N1"}]}, "/roles/0/country_code"),
        ({"roles": [{**ROLE, "business_details": {"name": SECRET * 20}}]}, "/roles/0/business_details/name"),
        ({"roles": [{**ROLE, "business_details": {"name": "A", "website": {SECRET: 1}}}]}, "/roles/0/business_details"),
        ({"roles": [{**ROLE, "business_details": {"name": "A", "logo": SECRET}}]}, "/roles/0/business_details/logo"),
        ({"roles": [{**ROLE, "business_details": None}]}, "/roles/0/business_details"),
    ],
)
def test_a_refusal_says_where_and_never_what(change: dict[str, Any], where: str) -> None:
    problem = read(Credentials, {**CREDENTIALS, **change})

    assert isinstance(problem, str)
    assert problem.startswith(where)
    assert SECRET not in problem
    assert "\n" not in problem


@pytest.mark.parametrize("value", [None, SECRET, 5, [], [SECRET], {}, {SECRET: SECRET}, True])
def test_values_that_are_no_credentials_at_all(value: object) -> None:
    problem = read(Credentials, value)

    assert isinstance(problem, str)
    assert SECRET not in problem


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("SENDER", Interface.SENDER),
        ("RECEIVER", Interface.RECEIVER),
        (None, None),
        ("", None),
        ("BOTH", None),
        ("sender", None),
        (7, None),
        ([], None),
    ],
)
def test_one_odd_role_does_not_spoil_version_details(role: object, expected: Interface | None) -> None:
    """R-162: the role of the credentials endpoint is to be ignored, so that it must not be judged either."""
    rows = [{"identifier": "credentials", "role": role, "url": " https://x.test/c "}]
    found = read(VersionDetails, {"version": "2.2.1", "endpoints": rows, "x": 1})

    assert isinstance(found, VersionDetails)
    (endpoint,) = found.endpoints
    assert (endpoint.identifier, endpoint.role, endpoint.url) == ("credentials", expected, "https://x.test/c")


def test_the_lengths_of_the_text_are_the_limits() -> None:
    def fits(identifier: str, url: str) -> bool:
        return isinstance(read(EndpointRow, {"identifier": identifier, "url": url}), EndpointRow)

    assert fits("i", "u")
    assert fits("i" * 64, "u" * 255)
    assert not fits("", "u")
    assert not fits("i" * 65, "u")
    assert not fits("i", "")
    assert not fits("i", "u" * 256)
    assert isinstance(read(BusinessDetails, {"name": "n" * 100}), BusinessDetails)
    assert isinstance(read(BusinessDetails, {"name": "n" * 101}), str)
    assert isinstance(read(BusinessDetails, {"name": ""}), str)


def test_a_row_without_role_is_read() -> None:
    found = read(EndpointRow, {"identifier": "nltnm-tokens", "url": "https://x.test/t"})

    assert isinstance(found, EndpointRow)
    assert found.role is None


def test_lists_name_the_row_that_is_wrong() -> None:
    good = {"version": "2.2.1", "url": "https://x.test/2.2.1"}

    rows = read_list(Version, [good, {**good, "extra": 1}])
    assert isinstance(rows, list)
    assert [row.version for row in rows] == ["2.2.1", "2.2.1"]
    assert read_list(Version, [good, {"version": "2.2.1"}]) == "/1/url: Field required"
    assert read_list(Version, good) == "/: a list was expected"
    assert read_list(Version, []) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"status_code":1000,"data":[1]}', (1000, [1])),
        (b'{"status_code":2001}', (2001, None)),
        (b'{"status_code":"1000"}', None),
        (b'{"status_code":true}', None),
        (b'{"status_code":1000.5}', None),
        (b'{"data":{}}', None),
        (b"[]", None),
        (b"<html>", None),
        (b"", None),
        (b'{"status_code":1000,"data":1e99999999999999999999}', None),
        (b'{"status_code":1000,"data":"\xff"}', None),
    ],
)
def test_code_and_data_of_an_envelope(body: bytes, expected: tuple[int, object] | None) -> None:
    assert configuration.data_of(body) == expected
