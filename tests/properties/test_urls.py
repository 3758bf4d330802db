"""URLs keep every byte that is not the hub's to change."""

from urllib.parse import parse_qsl, quote, unquote, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from hub.ocpi import urls

HUB = "https://hub.test/ocpi/2.2.1/sender/commands/START_SESSION/abc?x=1&y=2"
SEGMENTS = st.text("aZ09-._~%2F5cC+*$:@!'(),;", min_size=1, max_size=8)
RAW = st.text("aZ09-._~%2F+*$:@!/?;,=", max_size=10)
QUERIES = st.lists(RAW, max_size=4).map("&".join)
ENDPOINTS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["https://x.test", "https://x.test:8443/ocpi/2.2.1/locations"]),
    st.sampled_from(["", "/"]),
    st.sampled_from(["", "?key=a%2Fb"]),
)


@given(ENDPOINTS, st.lists(SEGMENTS, max_size=3), st.booleans(), st.booleans(), QUERIES)
def test_a_joined_url_has_all_its_parts_as_they_were(
    endpoint: str, segments: list[str], leading: bool, trailing: bool, query: str
) -> None:
    tail = "/".join(segments) + ("/" if trailing and segments else "")
    joined = urls.join(endpoint, f"/{tail}" if leading else tail, query)

    path, _, found = joined.partition("?")
    base, _, own = endpoint.partition("?")
    assert path == (f"{base.rstrip('/')}/{tail}" if tail else base)
    assert found == "&".join(part for part in (own, query) if part)
    assert urls.origin(joined) == urls.origin(endpoint)


# Ways to write the name, none of them `response_url`, and values that do not start like an unencoded URL.
NAMES = st.sampled_from(["response_url", "response%5Furl", "%72esponse_ur%6c"])
OTHERS = st.sampled_from(["duration", "xresponse_url", "response_url2", "", "type", "response%255Furl"])
VALUES = RAW.filter(lambda text: not text.lower().startswith("http"))


@st.composite
def queries(draw: st.DrawFn) -> tuple[str, str, list[str]]:
    """A query, the same with the hub's URL in it, and the raw values that were in its place."""
    before, after, values = [], [], []
    for mine in draw(st.lists(st.booleans(), max_size=4)):
        name, value = draw(NAMES if mine else OTHERS), draw(VALUES)
        before.append(f"{name}={value}")
        after.append(f"{name}={quote(HUB, safe='')}" if mine else before[-1])
        if mine:
            values.append(value)
    for extra in draw(st.lists(st.sampled_from(["", "flag"]), max_size=2)):
        before.insert(0, extra)
        after.insert(0, extra)
    return "&".join(before), "&".join(after), values


@given(queries())
def test_a_value_is_replaced_wherever_it_is_and_every_other_byte_stays(given_query: tuple[str, str, list[str]]) -> None:
    before, expected, values = given_query

    found = urls.query_value(before, "response_url")
    assert found == (unquote(values[0].replace("+", " ")) if values else None)
    if values:
        assert urls.with_query_value(before, "response_url", HUB) == expected
    assert urls.query_value(urls.with_query_value(before, "response_url", HUB), "response_url") == HUB


@given(queries(), st.text("aZ09-._~%2F+?&=:/", max_size=20), st.sampled_from(["http://", "https://", "HTTPS://"]))
def test_an_unencoded_url_at_the_end_goes_to_the_end(
    given_query: tuple[str, str, list[str]], rest: str, scheme: str
) -> None:
    before, _, values = given_query
    url = f"{scheme}e.test/{rest}"
    # With the documented member before it, whatever follows is the URL's own.
    query = f"duration=900&{before}&response_url={url}"

    if not values:
        assert urls.unencoded_value(query, "response_url") == url
        swapped = urls.with_query_value(query, "response_url", HUB)
        assert swapped == f"duration=900&{before}&response_url={quote(HUB, safe='')}"


@given(QUERIES, st.text(st.characters(codec="utf-8"), max_size=20))
def test_any_value_can_be_carried(query: str, value: str) -> None:
    carried = urls.with_query_value(query, "cb", value)

    assert ("cb", value) in parse_qsl(carried, keep_blank_values=True)
    assert urls.query_value(carried, "cb") == value


@given(QUERIES, st.frozensets(st.sampled_from(["offset", "limit", "a", ""]), max_size=3))
def test_members_are_left_out_by_the_name_a_server_reads(query: str, names: frozenset[str]) -> None:
    query = f"{query}&offset=1&%6Cimit=5&x=%2F+"
    kept = urls.without_members(query, names)

    read = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in names]
    assert parse_qsl(kept, keep_blank_values=True) == read
    assert "x=%2F+" in kept


def leaves(tail: str) -> bool:
    """Whether a server that decodes (once or more), knows backslashes and drops parameters would leave the path."""
    for _ in range(4):
        tail = unquote(tail)
    segments = tail.replace("\\", "/").split("/")
    return any(segment.partition(";")[0] in {".", ".."} for segment in segments)


@given(st.text("a./\\;", max_size=8).flatmap(lambda text: st.tuples(*(encodings(char) for char in text))).map("".join))
def test_no_tail_leaves_the_path_of_the_endpoint(tail: str) -> None:
    assert urls.climbs(tail) is leaves(tail)


def encodings(char: str) -> st.SearchStrategy[str]:
    once = f"%{ord(char):02x}"
    return st.sampled_from([char, once, once.upper(), once.replace("%", "%25"), f"%{ord('%'):x}25{once[1:]}"])


@given(st.text(st.characters(codec=None), max_size=30), st.text(st.characters(codec=None), max_size=30))
def test_no_text_raises(text: str, query: str) -> None:
    urls.climbs(text)
    urls.plain(text)
    urls.origin(text)
    urls.origin(f"https://{text}")
    urls.resolve("https://x.test/a", text)
    urls.resolve("https://x.test/a", f"https://[{text}")
    urls.query_value(query, "a")
    urls.unencoded_value(f"a=http://{text}", "a")


@given(st.text("abc/:@?#[]\\%.0189-", max_size=16))
def test_an_origin_is_the_host_a_request_goes_to(rest: str) -> None:
    """The host that is checked is the one that RFC 3986 reads, and there is no user in front of it."""
    url = f"https://{rest}"
    found = urls.origin(url)

    if found is not None:
        authority = rest.replace("?", "/").replace("#", "/").split("/")[0]
        assert "@" not in authority
        assert urlsplit(url).netloc == authority
        assert authority.lower().startswith((found[1], f"[{found[1]}]"))


@given(
    st.one_of(
        st.text("htps:/\t @[]?#.x8", max_size=24),
        st.text("abc/:@?#[]\\%.0189- \t", max_size=16).map("https://{}".format),
        st.text("ab/?#:", max_size=8).map(lambda text: f"https://x.test{'y' * 300}{text}"),
    )
)
def test_an_origin_that_is_remembered_is_that_of_the_whole_url(url: str) -> None:
    assert urls.origin(url) == urls.origin(url) == urls._origin(url)
