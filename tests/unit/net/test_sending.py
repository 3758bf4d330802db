"""What goes out on the wire, byte for byte, and what of an answer comes back."""

import pytest

from hub import __version__
from hub.domain.outcome import Answer, Unsent, UnsentReason
from hub.net.client import PooledForwarder
from tests.unit.net.sending import WIRE, get
from tests.unit.net.servers import answer, answering, saying, scripted


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "/ocpi/2.2.1/locations/NL/ABC/LOC%2F1",
        "/ocpi/2.2.1/locations/NL/ABC/loc%2f1",
        "/tokens/DE/XYZ/a+b%20c%3Ad:e",
        "//double//slash//",
        "/a/../b/./c",
        "/~-._!$&'()*+,;=:@",
        "/list?date_from=2026-01-01T00:00:00Z&offset=0&limit=50",
        "/list?date_from=2026-01-01T00%3A00%3A00%2B01%3A00&a=b+c&empty=&bare",
        "/list?q=a?b/c&&d",
        "/list?url=https%3A%2F%2Fx.example%2Fy%3Fa%3Db",
        "/%e4%bd%a0/%E4%BD%A0",
        "/%zz/%",
    ],
)
async def test_path_and_query_go_out_as_they_are(forwarder: PooledForwarder, target: str) -> None:
    async with scripted(answering(answer())) as server:
        outcome = await forwarder.send(WIRE, get(server.url(target)))

    assert isinstance(outcome, Answer)
    assert server.requests[0].line == f"GET {target} HTTP/1.1"


async def test_a_url_without_path_asks_for_the_root(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer())) as server:
        await forwarder.send(WIRE, get(server.url("?a=b")))

    assert server.requests[0].line == "GET /?a=b HTTP/1.1"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/lädt",
        "http://127.0.0.1:1/a b",
        "http://127.0.0.1:1/a\r\nX-Injected: 1",
        "http://127.0.0.1:1/\x00",
        "http://127.0.0.1:1/\x7f",
        "http://user:secret@127.0.0.1:1/",
        "http://user@127.0.0.1:1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://[::1/",
        "http:///path",
        "http:/path",
        "ftp://127.0.0.1:1/",
        "127.0.0.1:1/",
        "/path",
        "",
        "http://2130706433:1/",
        "http://127.1:1/",
    ],
)
async def test_urls_that_cannot_be_requested(forwarder: PooledForwarder, url: str) -> None:
    outcome = await forwarder.send(WIRE, get(url))

    assert outcome == Unsent(UnsentReason.UNUSABLE)
    assert isinstance(outcome, Unsent)
    assert "secret" not in outcome.detail


async def test_headers_are_the_given_ones_and_the_hubs_own_and_no_others(forwarder: PooledForwarder) -> None:
    given = {"Authorization": "Token abc", "X-Request-ID": "1", "Accept": "application/json", "OCPI-to-party-id": "ä"}
    async with scripted(answering(answer())) as server:
        await forwarder.send(WIRE, get(server.url(), headers=given))

    assert server.requests[0].headers == {
        "host": f"127.0.0.1:{server.port}",
        "user-agent": f"ocpi-hub/{__version__}",
        "accept-encoding": "identity",
        "authorization": "Token abc",
        "x-request-id": "1",
        "accept": "application/json",
        "ocpi-to-party-id": "ä",
    }


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize("body", [None, b"", b'{"a": 1.0}', b"x" * 3_000_000], ids=["none", "empty", "small", "large"])
async def test_bodies_go_out_whole_with_their_length_and_no_invented_type(
    forwarder: PooledForwarder, method: str, body: bytes | None
) -> None:
    async with scripted(answering(answer())) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), method=method, body=body))

    assert isinstance(outcome, Answer)
    [request] = server.requests
    assert request.body == (body or b"")
    assert request.headers["content-length"] == str(len(body or b""))
    assert "content-type" not in request.headers
    assert "transfer-encoding" not in request.headers


async def test_a_get_has_no_body_and_no_length(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer())) as server:
        await forwarder.send(WIRE, get(server.url()))

    assert "content-length" not in server.requests[0].headers


async def test_a_given_type_goes_out(forwarder: PooledForwarder) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    async with scripted(answering(answer())) as server:
        await forwarder.send(WIRE, get(server.url(), method="POST", headers=headers, body=b"{}"))

    assert server.requests[0].headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nb", "a\x00b"])
async def test_a_header_that_would_break_the_head_is_not_sent(forwarder: PooledForwarder, value: str) -> None:
    async with scripted(answering(answer())) as server:
        outcome = await forwarder.send(WIRE, get(server.url(), method="POST", headers={"X-Request-ID": value}))
        await server.until_all_gone()

    assert outcome == Unsent(UnsentReason.UNUSABLE)
    assert server.requests == []


async def test_headers_are_found_in_lower_case_and_links_stand_apart(forwarder: PooledForwarder) -> None:
    data = answer(
        b'{"data": 1.50}',
        "Content-Type: application/json",
        "Set-Cookie: a=b",
        "Server: x",
        "Connection: keep-alive",
        "X-TOTAL-COUNT: 12",
        "X-Limit: 5",
        "location: /x",
        "Retry-After: 3",
        "Allow: GET",
        "WWW-Authenticate: Token",
        "X-Request-ID: 1",
        "X-Request-ID: 2",
        "X-Correlation-ID: 3",
        'Link: <https://a.example/?offset=5>; rel="next"',
        "link: <https://b.example/>; rel=prev",
    )
    async with scripted(answering(data)) as server:
        outcome = await forwarder.send(WIRE, get(server.url()))

    assert isinstance(outcome, Answer)
    assert outcome.body == b'{"data": 1.50}'
    assert outcome.links == ('<https://a.example/?offset=5>; rel="next"', "<https://b.example/>; rel=prev")
    wanted = {"content-type": "application/json", "x-total-count": "12", "x-limit": "5", "retry-after": "3"}
    assert {name: outcome.headers[name] for name in wanted} == wanted


async def test_redirects_are_not_followed(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer())) as elsewhere:
        moved = answer(b"", f"Location: {elsewhere.url('/there')}", status="307 Temporary Redirect")
        async with scripted(answering(moved)) as server:
            outcome = await forwarder.send(WIRE, get(server.url(), headers={"Authorization": "Token abc"}))

    assert outcome == Answer(307, {"location": elsewhere.url("/there")}, b"")
    assert elsewhere.connections == 0


async def test_cookies_are_not_kept(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer(b"{}", "Set-Cookie: session=1; Path=/"))) as server:
        await forwarder.send(WIRE, get(server.url()))
        await forwarder.send(WIRE, get(server.url()))

    assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize(
    "status", ["200 OK", "204 No Content", "304 Not Modified", "404 Not Found", "503 Busy", "599 ?"]
)
async def test_every_status_is_an_answer_and_its_connection_is_kept(forwarder: PooledForwarder, status: str) -> None:
    async with scripted(answering(answer(b"", status=status))) as server:
        first = await forwarder.send(WIRE, get(server.url()))
        second = await forwarder.send(WIRE, get(server.url(), method="POST", body=b"{}"))

    assert first == second == Answer(int(status[:3]), {}, b"")
    assert server.connections == 1


async def test_interim_answers_are_passed_over(forwarder: PooledForwarder) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    async with scripted(answering(interim + answer(b"1"))) as server:
        outcome = await forwarder.send(WIRE, get(server.url()))

    assert outcome == Answer(200, {}, b"1")


@pytest.mark.parametrize(
    "pieces",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab", b"cd", b"ef"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"4\r\ncdef\r\n0\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\nab", b"cdef"),
        (b"HTTP/1.0 200 OK\r\n\r\n", b"abcdef"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 6\r\n\r\nabcdef",),
    ],
    ids=["length", "chunked", "until-close", "http-1.0", "identity"],
)
async def test_bodies_in_pieces_are_put_together(forwarder: PooledForwarder, pieces: tuple[bytes, ...]) -> None:
    async with scripted(saying(*pieces)) as server:
        outcome = await forwarder.send(WIRE, get(server.url()))

    assert outcome == Answer(200, {}, b"abcdef")


async def test_connections_are_kept_also_after_long_bodies(forwarder: PooledForwarder) -> None:
    async with scripted(answering(answer(b"x" * 150_000))) as server:
        for _ in range(3):
            outcome = await forwarder.send(WIRE, get(server.url()))
            assert isinstance(outcome, Answer)
            assert len(outcome.body) == 150_000

    assert server.connections == 1
