"""Whatever token was issued, whoever sends it in either form is recognised."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from hub.ocpi.token import TokenEncoding, acceptable, authorization, candidates

TOKENS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)


@given(TOKENS, st.sampled_from(TokenEncoding))
def test_a_token_is_found_in_its_header(token: str, encoding: TokenEncoding) -> None:
    assert acceptable(token)
    assert (token, encoding) in candidates(authorization(token, encoding))


@given(TOKENS, st.sampled_from(["", "\n", "\r\n"]), st.booleans(), st.sampled_from(["Token ", "tOKEN   ", ""]))
def test_line_ends_padding_and_scheme_do_not_matter(token: str, end: str, padded: bool, scheme: str) -> None:
    parameter = base64.b64encode(f"{token}{end}".encode()).decode()
    header = scheme + (parameter if padded else parameter.rstrip("="))

    assert (token, TokenEncoding.BASE64) in candidates(header)


# What an HTTP server makes of header bytes.
HEADERS = st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@given(st.text(st.characters(codec=None), max_size=40) | HEADERS)
def test_no_header_raises_and_the_literal_form_comes_first(header: str) -> None:
    for text in (header, f"Token {header}"):
        found = candidates(text)
        assert len(found) <= 2
        assert [encoding for _, encoding in found] == [TokenEncoding.PLAIN, TokenEncoding.BASE64][: len(found)]
        assert all(token for token, _ in found)
