"""A simulated platform behind TLS: its own certificate, a private authority, a client certificate asked for."""

import ssl

import trustme

from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.sandbox import SandboxPlatform


def contexts(authority: trustme.CA, *, ask_client: bool = False) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    if ask_client:
        server.verify_mode = ssl.CERT_REQUIRED
        authority.configure_trust(server)
        authority.issue_cert("client.example").configure_cert(client)
    return server, client


async def test_a_handshake_and_a_message_over_tls_with_client_certificates() -> None:
    server, client = contexts(trustme.CA(), ask_client=True)
    async with (
        SandboxPlatform("Cpo", [(Role.CPO, "NL", "CPA")], tls=server, trust=client) as cpo,
        SandboxPlatform("Emsp", [(Role.EMSP, "NL", "EMA")], tls=server, trust=client) as emsp,
    ):
        assert cpo.versions_url.startswith("https://127.0.0.1:")
        assert (await cpo.register(emsp.versions_url, emsp.issue_token())).ok
        assert (await cpo.call("GET", names.TOKENS, Interface.SENDER)).ok
        emsp.faults.on(names.TOKENS, times=1).reset(after=0)
        emsp.faults.on(names.TOKENS, times=1).half_body()
        assert (await cpo.call("GET", names.TOKENS, Interface.SENDER)).status == 0
        assert (await cpo.call("GET", names.TOKENS, Interface.SENDER)).status == 0
        await emsp.go_dark()
        assert (await cpo.call("GET", names.TOKENS, Interface.SENDER)).status == 0
        await emsp.come_back()
        assert (await cpo.call("GET", names.TOKENS, Interface.SENDER)).ok


async def test_an_unknown_authority_is_a_failure_and_nothing_arrives() -> None:
    server, _ = contexts(trustme.CA())
    _, stranger = contexts(trustme.CA())
    async with (
        SandboxPlatform("Emsp", [(Role.EMSP, "NL", "EMA")], tls=server) as emsp,
        SandboxPlatform("Cpo", [(Role.CPO, "NL", "CPA")], trust=stranger) as cpo,
    ):
        handshake = await cpo.register(emsp.versions_url, emsp.issue_token())
        assert handshake.answer.failure == "no answer: ClientConnectorCertificateError"
        assert len(emsp.received) == 0
