"""URLs as raw text."""

import pytest

from hub.ocpi import urls

HUB = "https://hub.test/ocpi/2.2.1/sender/chargingprofiles/x1"
HUB_ENCODED = "https%3A%2F%2Fhub.test%2Focpi%2F2.2.1%2Fsender%2Fchargingprofiles%2Fx1"


@pytest.mark.parametrize(
    ("endpoint", "tail", "query", "expected"),
    [
        ("https://x.test/locations", "", "", "https://x.test/locations"),
        ("https://x.test/locations/", "", "offset=0", "https://x.test/locations/?offset=0"),
        ("https://x.test/locations", "/", "", "https://x.test/locations"),
        ("https://x.test/locations", "LOC1", "", "https://x.test/locations/LOC1"),
        ("https://x.test/locations/", "LOC1", "", "https://x.test/locations/LOC1"),
        ("https://x.test/locations/", "/LOC1/", "a=1", "https://x.test/locations/LOC1/?a=1"),
        ("https://x.test/l?key=1", "LOC1", "", "https://x.test/l/LOC1?key=1"),
        ("https://x.test/l/?key=1", "LOC1", "a=%2F+b", "https://x.test/l/LOC1?key=1&a=%2F+b"),
        ("https://x.test/l?key=1", "", "a=1", "https://x.test/l?key=1&a=1"),
        ("https://x.test/l", "A%2fB/c%20d", "q=?/x&&", "https://x.test/l/A%2fB/c%20d?q=?/x&&"),
    ],
)
def test_joining(endpoint: str, tail: str, query: str, expected: str) -> None:
    assert urls.join(endpoint, tail, query) == expected


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("https://y.test/z?a=1", "https://y.test/z?a=1"),
        ("?offset=2", "https://x.test/a/b?offset=2"),
        ("/c?o=%2F", "https://x.test/c?o=%2F"),
        ("c", "https://x.test/a/c"),
        ("//y.test/z", "https://y.test/z"),
        ("http://[x", "http://[x"),
        ("//[", "//["),
    ],
)
def test_resolving(reference: str, expected: str) -> None:
    assert urls.resolve("https://x.test/a/b?offset=1", reference) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://X.test/a", ("https", "x.test", 443)),
        ("HTTP://x.test:8080", ("http", "x.test", 8080)),
        ("http://x.test", ("http", "x.test", 80)),
        ("http://[::1]:80/", ("http", "::1", 80)),
        ("https://x.test:/", ("https", "x.test", 443)),
        ("https://x.test:0/", ("https", "x.test", 0)),
        ("https://x.test@evil.test/", None),
        ("https://:pw@x.test/", None),
        ("https://x.test\\@evil.test/", None),
        ("https://x.test:99999/", None),
        ("https://x.test:a/", None),
        ("https://[x/", None),
        ("https:///a", None),
        ("ftp://x.test/", None),
        ("/a/b", None),
        ("", None),
    ],
)
def test_origins(url: str, expected: tuple[str, str, int] | None) -> None:
    assert urls.origin(url) == expected


@pytest.mark.parametrize("tail", ["", "LOC1", "NL/ABC/LOC-1_a~b", "a/b/"])
def test_plain_tails(tail: str) -> None:
    assert urls.plain(tail)
    assert not urls.climbs(tail)
    assert urls.printable(tail)


@pytest.mark.parametrize("tail", ["a%2Fb", "a.b", "a b", "é", "a\\b", "a;b", "a?b", "a#b", "a\n", ".."])
def test_tails_that_are_looked_at_again(tail: str) -> None:
    assert not urls.plain(tail)


@pytest.mark.parametrize("separator", ["/", "\\", "%2f", "%2F", "%5c", "%252F", "%25255C"])
@pytest.mark.parametrize("dots", [".", "..", "%2e", "%2E.", ".%2e", "%2e%2e", "%252e%252E", "%%32%65."])
def test_tails_that_climb(dots: str, separator: str) -> None:
    for tail in ("DOTS", "DOTS/a", "a/DOTS", "a/DOTS/b", "a/DOTS;x=1/b"):
        assert urls.climbs(tail.replace("/", separator).replace("DOTS", dots)), tail


def test_a_tail_that_stays_encoded_is_taken_for_one_that_climbs() -> None:
    assert urls.climbs("%25252541")
    assert not urls.climbs("%252541")


@pytest.mark.parametrize(
    "tail",
    ["...", "a..b", "..a", "a.", "a/.b", "a/..b/c", "%2ea", "a%2Fb", "NL*ABC/1.0", "a;b/..c", "100%", "a%252Fb"],
)
def test_tails_with_dots_that_stay(tail: str) -> None:
    assert not urls.climbs(tail)


@pytest.mark.parametrize(
    "text", ["a b", "a\tb", "a\x00", "a\x7f", "é", "\ud800", 'a"b', "a<b", "a\\b", "a^b", "{a}", "a|b", "`"]
)
def test_what_cannot_stand_in_a_request_line(text: str) -> None:
    assert not urls.printable(text)
    assert urls.printable("https://x.test/a%20b?c=d&e='f'#(g)[1]@!$*,;~")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", None),
        ("b=1", None),
        ("a", None),
        ("ba=1", None),
        ("a=", ""),
        ("a=1", "1"),
        ("b=1&a=2&c=3", "2"),
        ("a=1&a=2", "1"),
        ("a=x+y%2Bz", "x y+z"),
        ("%61=1", "1"),
        ("a=1=2", "1=2"),
        ("&&a=1", "1"),
        ("a=%FF%zz", "\ufffd%zz"),
        ("b=a=1", None),
    ],
)
def test_query_values(query: str, expected: str | None) -> None:
    assert urls.query_value(query, "a") == expected


@pytest.mark.parametrize(
    ("query", "value", "replaced"),
    [
        # Encoded, as it should be.
        (
            "duration=900&response_url=https%3A%2F%2Fe.test%2Fcb%3Fa%3D1",
            "https://e.test/cb?a=1",
            "duration=900&response_url={}",
        ),
        ("response_url=https%3A%2F%2Fe.test%2F1&duration=900", "https://e.test/1", "response_url={}&duration=900"),
        # Unencoded, with members of its own: to the end of the query ...
        (
            "duration=900&response_url=https://e.test/cb?a=1&b=2",
            "https://e.test/cb?a=1&b=2",
            "duration=900&response_url={}",
        ),
        ("response_url=HTTPS://e.test/cb?a=1&b=2", "HTTPS://e.test/cb?a=1&b=2", "response_url={}"),
        # ... or to the member that OCPI documents beside it.
        ("response_url=https://e.test/1&duration=900", "https://e.test/1", "response_url={}&duration=900"),
        (
            "response_url=https://e.test/cb?a=1&b=2&duration=900&x=y",
            "https://e.test/cb?a=1&b=2",
            "response_url={}&duration=900&x=y",
        ),
        # A duration behind it is the URL's own when the documented one stood before.
        (
            "duration=900&response_url=https://e.test/cb?a=1&duration=5",
            "https://e.test/cb?a=1&duration=5",
            "duration=900&response_url={}",
        ),
        ("response_url=https://e.test/%41", "https://e.test/%41", "response_url={}"),
        # However the name is written, and however often: a receiver must never see another URL than the hub's.
        ("response%5Furl=https%3A%2F%2Fe.test%2F1", "https://e.test/1", "response%5Furl={}"),
        (
            "response_url=https%3A%2F%2Fe.test%2F1&response_url=https%3A%2F%2Fevil.test",
            "https://e.test/1",
            "response_url={}&response_url={}",
        ),
        (
            "response_url=https%3A%2F%2Fe.test%2F1&%72esponse_url=http://evil.test",
            "https://e.test/1",
            "response_url={}&%72esponse_url={}",
        ),
        ("response_url=", "", "response_url={}"),
    ],
)
def test_response_urls_in_a_query(query: str, value: str, replaced: str) -> None:
    assert urls.unencoded_value(query, "response_url") == value
    assert urls.with_query_value(query, "response_url", HUB) == replaced.replace("{}", HUB_ENCODED)


def test_a_member_that_is_missing_is_added() -> None:
    assert urls.with_query_value("", "a", "b c") == "a=b%20c"
    assert urls.with_query_value("x=1", "a", "ä&=") == "x=1&a=%C3%A4%26%3D"
    assert urls.unencoded_value("x=1", "a") is None


def test_members_left_out() -> None:
    names = frozenset({"offset", "limit"})

    assert urls.without_members("offset=1&date_from=2026-01-01T00:00:00%2B01:00&limit=5&x=", names) == (
        "date_from=2026-01-01T00:00:00%2B01:00&x="
    )
    assert urls.without_members("%6Fffset=1&offset&a=1", names) == "a=1"
    assert urls.without_members("", names) == ""
