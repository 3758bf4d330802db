"""Credentials tokens in both encodings, and headers that are none."""

import base64

import pytest

from hub.ocpi.token import TokenEncoding, acceptable, authorization, candidates, new_token

PLAIN, BASE64 = TokenEncoding.PLAIN, TokenEncoding.BASE64


def test_the_two_forms_of_the_header() -> None:
    assert authorization("example-token", BASE64) == "Token ZXhhbXBsZS10b2tlbg=="
    assert authorization("example-token", PLAIN) == "Token example-token"
    assert (PLAIN.other, BASE64.other) == (BASE64, PLAIN)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Token ZXhhbXBsZS10b2tlbg==", [("ZXhhbXBsZS10b2tlbg==", PLAIN), ("example-token", BASE64)]),
        ("Token example-token", [("example-token", PLAIN)]),
        ("Token YWJj", [("YWJj", PLAIN), ("abc", BASE64)]),
        # padding left out; too much of it is no Base64
        ("Token YQ", [("YQ", PLAIN), ("a", BASE64)]),
        ("Token YQ===", [("YQ===", PLAIN)]),
        # T-02: encoded together with the end of the line
        ("Token YWJjCg==", [("YWJjCg==", PLAIN), ("abc", BASE64)]),
        ("Token YWJjDQo=", [("YWJjDQo=", PLAIN), ("abc", BASE64)]),
        # only one line end is dropped, and a line end alone is no token
        ("Token YWJjCgo=", [("YWJjCgo=", PLAIN), ("abc\n", BASE64)]),
        ("Token Cg==", [("Cg==", PLAIN)]),
        # the scheme in any case, more spaces than one
        ("token   YWJj  ", [("YWJj", PLAIN), ("abc", BASE64)]),
        ("TOKEN\tYWJj", [("YWJj", PLAIN), ("abc", BASE64)]),
        # a bare parameter
        ("YWJj", [("YWJj", PLAIN), ("abc", BASE64)]),
        # not UTF-8 when decoded, and the alphabet of URLs, which is not Base64's
        ("Token /w==", [("/w==", PLAIN)]),
        ("Token ab_-", [("ab_-", PLAIN)]),
    ],
)
def test_what_a_header_may_stand_for(header: str, expected: list[tuple[str, TokenEncoding]]) -> None:
    assert list(candidates(header)) == expected


@pytest.mark.parametrize("header", [None, "", " ", "Token", "token ", "Bearer abc", "Basic YTpi", "Token a b", "a b c"])
def test_headers_that_stand_for_nothing(header: str | None) -> None:
    assert candidates(header) == ()


@pytest.mark.parametrize("parameter", ["\udc80abc", "é", "\x00", "Z\udcffg==", "\uff39\uff31", "\u0660"])
def test_texts_beyond_ascii_are_only_ever_literal(parameter: str) -> None:
    assert candidates(f"Token {parameter}") == ((parameter, PLAIN),)


def test_new_tokens_fit_differ_and_are_never_the_base64_of_one_another() -> None:
    tokens = {new_token() for _ in range(200)}

    assert len(tokens) == 200
    assert all(acceptable(token) for token in tokens)
    for token in tokens:
        assert [text for text, _ in candidates(authorization(token, PLAIN))] == [token]
        assert base64.b64encode(token.encode()).decode() not in tokens


@pytest.mark.parametrize(
    ("token", "fits"),
    [("!", True), ("~" * 64, True), ("", False), ("x" * 65, False), ("a b", False), ("a\n", False), ("é", False)],
)
def test_which_tokens_of_a_platform_are_acceptable(token: str, fits: bool) -> None:
    assert acceptable(token) is fits
