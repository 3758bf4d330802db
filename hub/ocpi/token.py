"""The credentials token on the wire: both encodings, reading `Authorization`, making new tokens (R-002 to R-010)."""

import base64
import binascii
import secrets
from enum import StrEnum

MAX_TOKEN_LENGTH = 64


class TokenEncoding(StrEnum):
    """How a token stands in the header: as Base64 text (2.2-d2 and later) or as it is (2.1.1 and much software
    since).
    """

    BASE64 = "base64"
    PLAIN = "plain"

    @property
    def other(self) -> "TokenEncoding":
        """The encoding to try when a platform refuses this one."""
        return TokenEncoding.PLAIN if self is TokenEncoding.BASE64 else TokenEncoding.BASE64


def authorization(token: str, encoding: TokenEncoding) -> str:
    """The value of the `Authorization` header: the word Token, one space, the parameter."""
    parameter = base64.b64encode(token.encode()).decode() if encoding is TokenEncoding.BASE64 else token
    return f"Token {parameter}"


def candidates(header: str | None) -> tuple[tuple[str, TokenEncoding], ...]:
    """The tokens a header may stand for, most literal first; empty when nothing can be read from it.

    The literal form comes first because a plain token may look like Base64 (T-03). One line feed at the end of
    decoded text is dropped (T-02). A header of a single word is read as a bare parameter.
    """
    if not header:
        return ()
    words = header.split()
    if len(words) == 2 and words[0].lower() == "token":
        parameter = words[1]
    elif len(words) == 1 and words[0].lower() != "token":
        parameter = words[0]
    else:
        return ()
    decoded = _decode(parameter)
    plain = (parameter, TokenEncoding.PLAIN)
    return (plain,) if decoded is None or decoded == parameter else (plain, (decoded, TokenEncoding.BASE64))


def _decode(parameter: str) -> str | None:
    try:
        raw = base64.b64decode(parameter + "=" * (-len(parameter) % 4), validate=True)
        text = raw.decode()
    except (binascii.Error, ValueError):
        return None
    return text.removesuffix("\n").removesuffix("\r") or None


def new_token() -> str:
    """An unguessable token of 49 characters. The dot is not in the Base64 alphabet, so no token is the Base64 of
    another; a digit or letter comes first, so that a command line does not take it for an option.
    """
    return f"{secrets.token_hex(8)}.{secrets.token_urlsafe(24)}"


def acceptable(token: str) -> bool:
    """Whether a token given by a platform fits OCPI: 1 to 64 characters of printable ASCII without spaces."""
    return 1 <= len(token) <= MAX_TOKEN_LENGTH and all("!" <= character <= "~" for character in token)
