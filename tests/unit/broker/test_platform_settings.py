"""Settings of one platform: what is kept, what goes back, and what cannot be used."""

import datetime as dt
from collections.abc import AsyncIterator

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.app import RunningHub
from hub.broker.platform_settings import KeyPair, SettingsChange
from hub.broker.refusal import RefusalKind
from hub.ocpi.names import Role
from hub.ocpi.token import TokenEncoding
from hub.sandbox import SandboxPlatform
from tests.unit.broker.operating import changed, invited, refusal, registered, stored

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
async def cpo() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Charge", [(Role.CPO, "NL", "CPA"), (Role.CPO, "BE", "CPB")]) as platform:
        yield platform


def key_pair(*, passphrase: bytes | None = None) -> KeyPair:
    issued = trustme.CA().issue_cert("hub.example.com")
    key = issued.private_key_pem.bytes()
    if passphrase is not None:
        loaded = serialization.load_pem_private_key(key, None)
        key = loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(passphrase),
        )
    return KeyPair("".join(part.bytes().decode() for part in issued.cert_chain_pems), key.decode())


def elliptic_key_pair() -> KeyPair:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "hub")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, NOW, NOW + dt.timedelta(days=365))
    certificate = builder.sign(key, hashes.SHA256())
    pem, pkcs8, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return KeyPair(certificate.public_bytes(pem).decode(), key.private_bytes(pem, pkcs8, plain).decode())


async def test_settings_are_kept_and_go_back_one_by_one(hub: RunningHub) -> None:
    platform_id = (await invited(hub)).platform.id
    pair = elliptic_key_pair()
    everything = SettingsChange(
        token_encoding=TokenEncoding.PLAIN,
        endpoint_overrides={"locations/SENDER": "http://127.0.0.1:9/l", "x-own/RECEIVER": "http://127.0.0.1:9/x"},
        response_url_hosts=["Callbacks.Example.com", "callbacks.example.com", "10.1.2.3:8443", "[2001:db8::1]:443"],
        forward_timeout_s=3.5,
        authorize_timeout_s=1,
        client_certificate=pair,
        page_limit=100,
        broadcast_as_direct=True,
        pull={"tokens": 60.0, "locations": 604_800.0, "tariffs": None},
    )

    changed(await hub.operations.change_settings(platform_id, everything, name="Renamed"))

    durable = await hub.store.platforms.get(platform_id)
    assert durable is not None
    settings = durable.settings
    assert durable.name == "Renamed"
    assert settings.token_encoding is TokenEncoding.PLAIN
    assert settings.response_url_hosts == ("callbacks.example.com", "10.1.2.3:8443", "[2001:db8::1]:443")
    assert (settings.forward_timeout_s, settings.authorize_timeout_s) == (3.5, 1)
    assert settings.client_certificate is not None
    assert settings.client_certificate.certificate_pem == pair.certificate_pem
    assert "PRIVATE" not in settings.client_certificate.sealed_key
    assert hub.registry.wire(durable).key_pem == pair.key_pem
    assert (settings.page_limit, settings.broadcast_as_direct) == (100, True)
    assert settings.pull == {"locations": 604_800.0, "tokens": 60.0}

    only = changed(await hub.operations.change_settings(platform_id, {"forward_timeout_s": None}))
    assert only.settings.forward_timeout_s is None
    assert only.settings.authorize_timeout_s == 1
    nothing = SettingsChange(
        token_encoding=None,
        endpoint_overrides=None,
        response_url_hosts=None,
        authorize_timeout_s=None,
        client_certificate=None,
        page_limit=None,
        broadcast_as_direct=None,
        pull=None,
    )
    reset = changed(await hub.operations.change_settings(platform_id, nothing))
    assert reset.settings == type(reset.settings)()
    assert reset.name == "Renamed"


async def test_a_chosen_encoding_counts_from_the_next_request_on(hub: RunningHub, cpo: SandboxPlatform) -> None:
    platform_id = await registered(hub, cpo)
    cpo.habits.accepts = TokenEncoding.PLAIN

    platform = changed(await hub.operations.change_settings(platform_id, {"token_encoding": TokenEncoding.PLAIN}))

    assert platform.connection is not None
    outbound = hub.registry.outbound(platform)
    assert outbound is not None
    assert outbound.authorization == f"Token {cpo.connection.inbound_token}"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"forward_timeout_s": 0.0}, "/forward_timeout_s"),
        ({"authorize_timeout_s": 601.0}, "/authorize_timeout_s"),
        ({"forward_timeout_s": float("nan")}, "/forward_timeout_s"),
        ({"response_url_hosts": ["fine.example.com", "https://bad.example.com"]}, "/response_url_hosts/1"),
        ({"response_url_hosts": ["bad.example.com:0"]}, "/response_url_hosts/0"),
        ({"response_url_hosts": ["bad.example.com:99999"]}, "/response_url_hosts/0"),
        ({"response_url_hosts": [""]}, "/response_url_hosts/0"),
        ({"response_url_hosts": ["x.example.com"] * 101}, "/response_url_hosts"),
        ({"endpoint_overrides": {"locations": "http://127.0.0.1/l"}}, "/endpoint_overrides/locations"),
        ({"endpoint_overrides": {"a/b/SENDER": "http://127.0.0.1/l"}}, "/endpoint_overrides/a~1b~1SENDER"),
        ({"endpoint_overrides": {"/SENDER": "http://127.0.0.1/l"}}, "/endpoint_overrides/~1SENDER"),
        ({"endpoint_overrides": {"locations/sender": "http://127.0.0.1/l"}}, "/endpoint_overrides/locations~1sender"),
        ({"endpoint_overrides": {"versions/SENDER": "http://127.0.0.1/"}}, "/endpoint_overrides/versions~1SENDER"),
        ({"endpoint_overrides": {"cdrs/SENDER": "http://192.168.0.1/c"}}, "/endpoint_overrides/cdrs~1SENDER"),
        ({"endpoint_overrides": {"cdrs/SENDER": "/relative"}}, "/endpoint_overrides/cdrs~1SENDER"),
        ({"endpoint_overrides": {f"m{n}/SENDER": "" for n in range(101)}}, "/endpoint_overrides"),
        ({"client_certificate": KeyPair("no", "pem")}, "/client_certificate"),
        ({"page_limit": 0}, "/page_limit"),
        ({"page_limit": 101}, "/page_limit"),
        ({"pull": {"locations": 900.0, "cdrs": 900.0}}, "/pull/cdrs"),
        ({"pull": {"a/b": None}}, "/pull/a~1b"),
        ({"pull": {"tokens": 59.9}}, "/pull/tokens"),
        ({"pull": {"tokens": 604_801.0}}, "/pull/tokens"),
        ({"pull": {"tokens": float("nan")}}, "/pull/tokens"),
    ],
)
async def test_a_setting_that_cannot_be_used_changes_nothing(
    hub: RunningHub, change: SettingsChange, pointer: str
) -> None:
    platform_id = (await invited(hub)).platform.id

    result = refusal(await hub.operations.change_settings(platform_id, change, name="Renamed"))

    assert (result.kind, result.pointer) == (RefusalKind.INVALID, pointer)
    assert stored(hub, platform_id).revision == 1


async def test_a_key_that_is_another_or_locked_is_refused(hub: RunningHub) -> None:
    platform_id = (await invited(hub)).platform.id
    mixed = KeyPair(key_pair().certificate_pem, key_pair().key_pem)
    locked = key_pair(passphrase=b"open sesame")

    for pair, reason in ((mixed, "does not belong"), (locked, "passphrase")):
        result = refusal(await hub.operations.change_settings(platform_id, {"client_certificate": pair}))
        assert reason in result.title
        assert result.title.count("PRIVATE") == 0
    assert "PRIVATE" not in repr(mixed)
