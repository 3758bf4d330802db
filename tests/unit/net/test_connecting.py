"""Where connections really go: the guard when it counts, whatever the URL or the name says, and the proxy."""

import asyncio
import socket
from ipaddress import ip_network
from types import SimpleNamespace

import pytest

from hub.domain.outcome import Answer, Unsent, UnsentReason
from hub.net.egress import EgressGuard
from tests.unit.net.conftest import MakeForwarder
from tests.unit.net.sending import WIRE, get
from tests.unit.net.servers import Names, Peer, Script, answer, answering, scripted

OK = Answer(200, {}, b"{}")
FORBIDDEN = Unsent(UnsentReason.FORBIDDEN)
ONE_ADDRESS = EgressGuard([ip_network("127.0.0.1/32")])


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connector can open no socket, so a test that sees FORBIDDEN knows that none was wanted."""

    def refuse(*_arguments: object, **_more: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr("hub.net.connector.socket", SimpleNamespace(socket=refuse))


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::1]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "[ff02::1]",
        "[fd00::1]",
    ],
)
async def test_literal_addresses_that_are_not_public(make_forwarder: MakeForwarder, scheme: str, host: str) -> None:
    outcome = await make_forwarder(EgressGuard()).send(WIRE, get(f"{scheme}://{host}:8080/"))

    assert outcome == FORBIDDEN


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "::ffff:10.0.0.1", "fe80::1%lo"])
async def test_names_of_addresses_that_are_not_public(make_forwarder: MakeForwarder, address: str) -> None:
    forwarder = make_forwarder(EgressGuard(), resolver=Names(platform_example=[address, "192.168.0.1"]))

    assert await forwarder.send(WIRE, get("https://platform.example/")) == FORBIDDEN


@pytest.mark.usefixtures("no_sockets")
@pytest.mark.parametrize("host", ["localhost", "0x7f.0.0.1", "0x7f000001"])
async def test_what_the_system_resolver_makes_of_a_host(make_forwarder: MakeForwarder, host: str) -> None:
    """Hosts that look like names and mean this machine."""
    outcome = await make_forwarder(EgressGuard()).send(WIRE, get(f"http://{host}:8080/"))

    assert outcome in (FORBIDDEN, Unsent(UnsentReason.DNS))


@pytest.mark.parametrize("order", [["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]])
async def test_of_mixed_addresses_only_the_permitted_are_connected_to(
    make_forwarder: MakeForwarder, order: list[str]
) -> None:
    forwarder = make_forwarder(ONE_ADDRESS, resolver=Names(platform_example=order))
    async with (
        scripted(answering(answer())) as permitted,
        scripted(answering(answer(b"secret")), host="127.0.0.2", port=permitted.port) as forbidden,
    ):
        for _ in range(5):
            assert await forwarder.send(WIRE, get(permitted.url(host="platform.example"))) == OK
            forwarder.drop("platform")

    assert forbidden.connections == 0
    assert permitted.connections == 5


async def test_a_permitted_address_that_is_down_does_not_open_the_forbidden_one(make_forwarder: MakeForwarder) -> None:
    forwarder = make_forwarder(ONE_ADDRESS, resolver=Names(platform_example=["127.0.0.1", "127.0.0.2"]))
    async with scripted(answering(answer()), host="127.0.0.2") as forbidden:
        outcome = await forwarder.send(WIRE, get(forbidden.url(host="platform.example")))

    assert outcome == Unsent(UnsentReason.REFUSED)
    assert forbidden.connections == 0


async def test_a_name_that_moves_to_a_private_address_is_stopped(make_forwarder: MakeForwarder) -> None:
    names = Names(platform_example=["127.0.0.1"])
    forwarder = make_forwarder(ONE_ADDRESS, resolver=names)
    async with (
        scripted(answering(answer(b"{}", "Connection: close"))) as before,
        scripted(answering(answer()), host="127.0.0.2", port=before.port) as after,
    ):
        assert await forwarder.send(WIRE, get(before.url(host="platform.example"))) == OK
        names.addresses["platform.example"] = ("127.0.0.2",)
        forwarder.drop("platform")  # and with it what it remembers of names
        assert await forwarder.send(WIRE, get(before.url(host="platform.example"))) == FORBIDDEN

    assert names.asked == ["platform.example"] * 2
    assert after.connections == 0


async def test_the_details_tell_the_operator_which_host(make_forwarder: MakeForwarder) -> None:
    outcome = await make_forwarder(EgressGuard()).send(WIRE, get("https://10.1.2.3/path?token=secret"))

    assert isinstance(outcome, Unsent)
    assert "10.1.2.3" in outcome.detail
    assert "secret" not in outcome.detail


def proxying(addresses: dict[str, tuple[str, int]]) -> Script:
    """A proxy with its own idea of names: tunnels for CONNECT, answers absolute targets itself."""

    async def script(peer: Peer) -> None:
        request = await peer.request()
        method, target, _ = request.line.split(" ")
        if method != "CONNECT":
            await peer.send(answer(target.encode()))
            return
        host, port = addresses[target]
        reader, writer = await asyncio.open_connection(host, port)
        await peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pumped(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.close()

        try:
            await asyncio.gather(pumped(peer.reader, writer), pumped(reader, peer.writer))
        finally:
            writer.transport.abort()

    return script


async def test_plain_http_through_the_proxy_which_may_be_anywhere(make_forwarder: MakeForwarder) -> None:
    async with scripted(proxying({})) as proxy:
        forwarder = make_forwarder(EgressGuard(), proxy=f"http://hub:secret@127.0.0.1:{proxy.port}")
        outcome = await forwarder.send(WIRE, get("http://platform.example/ocpi%2Fa?b=c+d"))

    assert outcome == Answer(200, {}, b"http://platform.example/ocpi%2Fa?b=c+d")
    assert proxy.requests[0].headers["host"] == "platform.example"
    assert proxy.requests[0].headers["proxy-authorization"] == "Basic aHViOnNlY3JldA=="


@pytest.mark.parametrize("url", ["http://127.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "http://localhost/"])
async def test_literal_targets_are_judged_before_the_proxy_sees_them(make_forwarder: MakeForwarder, url: str) -> None:
    async with scripted(proxying({})) as proxy:
        forwarder = make_forwarder(EgressGuard(), proxy=f"http://127.0.0.1:{proxy.port}")
        assert await forwarder.send(WIRE, get(url)) == FORBIDDEN

    assert proxy.connections == 0


@pytest.mark.parametrize(
    "reply", [b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", b"", b"nonsense\r\n\r\n"]
)
async def test_a_proxy_that_does_not_connect(make_forwarder: MakeForwarder, reply: bytes) -> None:
    async def refusing(peer: Peer) -> None:
        await peer.request()
        await peer.send(reply)

    async with scripted(refusing) as proxy:
        forwarder = make_forwarder(EgressGuard(), proxy=f"http://hub:secret@127.0.0.1:{proxy.port}")
        outcome = await forwarder.send(WIRE, get("https://platform.example/", headers={"Authorization": "Token abc"}))

    assert outcome == Unsent(UnsentReason.REFUSED)
    assert isinstance(outcome, Unsent)
    assert "secret" not in outcome.detail
    [request] = proxy.requests
    assert request.line == "CONNECT platform.example:443 HTTP/1.1"
    assert "authorization" not in request.headers  # the platform's token is not the proxy's business


async def test_a_proxy_that_is_down(make_forwarder: MakeForwarder) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    forwarder = make_forwarder(EgressGuard(), proxy=f"http://127.0.0.1:{port}")

    assert await forwarder.send(WIRE, get("https://platform.example/")) == Unsent(UnsentReason.REFUSED)
