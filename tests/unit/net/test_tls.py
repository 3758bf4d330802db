"""TLS towards platforms: who is believed, which certificate is shown, and what is wrong with one that cannot be."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from hub.clock import ManualClock
from hub.domain.outcome import Answer, Unsent, UnsentReason
from hub.errors import SettingsError
from hub.net.egress import EgressGuard
from hub.net.forwarder import Wire
from hub.net.tls import Trust, Unusable, client_certificate_problem
from tests.unit.net.conftest import MakeForwarder
from tests.unit.net.sending import WIRE, get
from tests.unit.net.servers import PATIENCE_S, Names, answer, answering, handshaking, scripted
from tests.unit.net.test_connecting import proxying

OK = Answer(200, {}, b"{}")
TLS = Unsent(UnsentReason.TLS)
HERE = Names(platform_example=["127.0.0.1"], other_example=["127.0.0.1"])


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture
def trust(ca_file: Path) -> Trust:
    return Trust(ca_file)


def serving(authority: trustme.CA, *names: str, clients_of: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    if clients_of is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        clients_of.configure_trust(context)
    return context


def pems(certificate: trustme.LeafCert) -> tuple[str, str]:
    chain = "".join(blob.bytes().decode() for blob in certificate.cert_chain_pems)
    return chain, certificate.private_key_pem.bytes().decode()


async def test_a_private_authority_is_believed_only_with_its_file(
    make_forwarder: MakeForwarder, authority: trustme.CA, trust: Trust
) -> None:
    without = make_forwarder(resolver=HERE)
    with_file = make_forwarder(resolver=HERE, trust=trust)
    async with scripted(answering(answer()), tls=serving(authority, "platform.example")) as server:
        url = server.url(host="platform.example", scheme="https")
        untrusted = await without.send(WIRE, get(url))
        assert untrusted == TLS
        assert isinstance(untrusted, Unsent)
        assert "platform.example" in untrusted.detail
        assert await with_file.send(WIRE, get(url)) == OK


async def test_a_certificate_for_another_host_is_refused(
    make_forwarder: MakeForwarder, authority: trustme.CA, trust: Trust
) -> None:
    forwarder = make_forwarder(resolver=HERE, trust=trust)
    async with scripted(answering(answer()), tls=serving(authority, "platform.example")) as server:
        assert await forwarder.send(WIRE, get(server.url(host="other.example", scheme="https"))) == TLS
        assert await forwarder.send(WIRE, get(server.url(host="127.0.0.1", scheme="https"))) == TLS

    assert server.requests == []


async def test_old_tls_is_refused(make_forwarder: MakeForwarder, authority: trustme.CA, trust: Trust) -> None:
    assert trust.plain.minimum_version == ssl.TLSVersion.TLSv1_2
    old = serving(authority, "platform.example")
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    forwarder = make_forwarder(resolver=HERE, trust=trust)
    with handshaking(old) as port:
        assert await forwarder.send(WIRE, get(f"https://platform.example:{port}/")) == TLS


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_certificate_is_shown_to_the_platform_it_is_for(
    make_forwarder: MakeForwarder, authority: trustme.CA, trust: Trust, newest: ssl.TLSVersion
) -> None:
    forwarder = make_forwarder(resolver=HERE, trust=trust)
    certificate, key = pems(authority.issue_cert("hub.example"))
    context = serving(authority, "platform.example", clients_of=authority)
    context.maximum_version = newest
    async with scripted(answering(answer()), tls=context) as server:
        url = server.url(host="platform.example", scheme="https")
        shown = Wire("shows", 10, certificate, key)
        assert await asyncio.gather(*(forwarder.send(shown, get(url)) for _ in range(5))) == [OK] * 5
        assert await forwarder.send(Wire("shows none", 10), get(url)) != OK

    assert len(server.requests) == 5


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_platform_that_refuses_the_certificate_or_its_absence_has_seen_nothing(
    make_forwarder: MakeForwarder, authority: trustme.CA, trust: Trust, newest: ssl.TLSVersion, method: str
) -> None:
    forwarder = make_forwarder(resolver=HERE, trust=trust)
    strangers = pems(trustme.CA().issue_cert("hub.example"))
    context = serving(authority, "platform.example", clients_of=authority)
    context.maximum_version = newest
    with handshaking(context) as port:
        request = get(f"https://platform.example:{port}/", method=method, body=b"{}", timeout_s=2.0)
        assert await forwarder.send(Wire("shows none", 10), request) == TLS
        assert await forwarder.send(Wire("shows another authority's", 10, *strangers), request) == TLS


async def test_a_changed_certificate_opens_a_new_pool(
    make_forwarder: MakeForwarder, authority: trustme.CA, trust: Trust
) -> None:
    forwarder = make_forwarder(resolver=HERE, trust=trust)
    pair = pems(authority.issue_cert("hub.example"))
    async with scripted(
        answering(answer()), tls=serving(authority, "platform.example", clients_of=authority)
    ) as server:
        url = server.url(host="platform.example", scheme="https")
        assert await forwarder.send(WIRE, get(url)) != OK
        assert await forwarder.send(Wire(WIRE.pool, 10, *pair), get(url)) == OK
        assert await forwarder.send(WIRE, get(url)) != OK


async def test_an_unusable_client_certificate_is_an_outcome(make_forwarder: MakeForwarder) -> None:
    forwarder = make_forwarder()
    async with scripted(answering(answer())) as server:
        for _ in range(2):
            outcome = await forwarder.send(Wire("platform", 10, "nonsense", "nonsense"), get(server.url()))
            assert outcome == TLS
            assert isinstance(outcome, Unsent)
            assert "client certificate" in outcome.detail

    assert server.connections == 0


async def test_https_through_a_proxy(make_forwarder: MakeForwarder, authority: trustme.CA, trust: Trust) -> None:
    async with (
        scripted(answering(answer()), tls=serving(authority, "platform.example")) as server,
        scripted(proxying({f"platform.example:{server.port}": ("127.0.0.1", server.port)})) as proxy,
    ):
        forwarder = make_forwarder(EgressGuard(), trust=trust, proxy=f"http://hub:secret@127.0.0.1:{proxy.port}")
        url = server.url("/a%2Fb", host="platform.example", scheme="https")
        for _ in range(2):
            assert await forwarder.send(WIRE, get(url, headers={"Authorization": "Token abc"})) == OK
        await forwarder.close()

    assert [request.line for request in server.requests] == ["GET /a%2Fb HTTP/1.1"] * 2
    assert "proxy-authorization" not in server.requests[0].headers
    [connect] = proxy.requests
    assert connect.headers["proxy-authorization"].startswith("Basic ")


async def test_a_wrong_host_behind_a_proxy(make_forwarder: MakeForwarder, authority: trustme.CA, trust: Trust) -> None:
    async with (
        scripted(answering(answer()), tls=serving(authority, "platform.example")) as server,
        scripted(proxying({"other.example:443": ("127.0.0.1", server.port)})) as proxy,
    ):
        forwarder = make_forwarder(EgressGuard(), trust=trust, proxy=f"http://127.0.0.1:{proxy.port}")
        assert await forwarder.send(WIRE, get("https://other.example/")) == TLS

    assert server.requests == []


async def test_a_new_file_of_authorities_is_used_without_a_restart(
    make_forwarder: MakeForwarder, authority: trustme.CA, ca_file: Path, trust: Trust
) -> None:
    clock = ManualClock()
    newer = trustme.CA()
    forwarder = make_forwarder(resolver=HERE, trust=trust, clock=clock)
    async with scripted(answering(answer()), tls=serving(newer, "platform.example")) as server:
        url = server.url(host="platform.example", scheme="https")
        assert await forwarder.send(WIRE, get(url)) == TLS
        await asyncio.to_thread(ca_file.write_bytes, authority.cert_pem.bytes() + newer.cert_pem.bytes())
        async with asyncio.timeout(PATIENCE_S):
            await clock.until_asleep()
            await clock.advance(120)
            await clock.until_asleep()
        assert await forwarder.send(WIRE, get(url)) == OK


def test_reloading_reads_what_changed_and_keeps_what_worked(authority: trustme.CA, ca_file: Path, trust: Trust) -> None:
    first = trust.plain
    assert trust.reload() is False
    assert trust.plain is first

    ca_file.write_text("nonsense")
    assert trust.reload() == Unusable(f"CA_FILE {ca_file} holds no certificates in PEM format")
    assert trust.reload() is False  # said once
    ca_file.unlink()
    assert isinstance(trust.reload(), Unusable)
    assert trust.plain is first

    authority.cert_pem.write_to_path(ca_file)
    assert trust.reload() is True
    assert trust.plain is not first
    assert Trust().reload() is False


@pytest.mark.parametrize("content", [b"", b"nonsense", bytes(range(256)), b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_of_authorities_that_is_none_stops_the_start(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match=r"CA_FILE .*ca\.pem holds no certificates in PEM format"):
        Trust(path)


def test_a_file_of_authorities_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"CA_FILE .*gone\.pem cannot be read: No such file"):
        Trust(tmp_path / "gone.pem")


def test_what_is_wrong_with_a_client_certificate(authority: trustme.CA) -> None:
    leaf, other = authority.issue_cert("hub.example"), authority.issue_cert("hub.example")
    certificate, key = pems(leaf)
    private = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    encrypted = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"passphrase"),
    ).decode()

    assert client_certificate_problem(certificate, key) is None
    assert client_certificate_problem(f"\n{certificate}\n\n", key.rstrip()) is None
    start = "The client certificate cannot be used: "
    mismatch = f"{start}the private key does not belong to the certificate."
    assert client_certificate_problem(certificate, pems(other)[1]) == mismatch
    assert client_certificate_problem(certificate, encrypted) == f"{start}the private key is protected by a passphrase."
    for bad_certificate, bad_key in (
        ("", key),
        (certificate, ""),
        ("x", "y"),
        (certificate, key[:100]),
        ("\ud800", key),
    ):
        problem = client_certificate_problem(bad_certificate, bad_key)
        assert problem == f"{start}the certificate chain or the private key is not in PEM format."


def test_without_memory_files_the_key_is_on_disk_only_while_it_is_read(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr("os.memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    assert client_certificate_problem(*pems(authority.issue_cert("hub.example"))) is None
    assert list(tmp_path.iterdir()) == []
