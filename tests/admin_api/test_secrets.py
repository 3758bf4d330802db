"""Tokens: each is shown once, by the call that makes it; no GET and no log line has one, nor a fingerprint or a key."""

import asyncio
from pathlib import Path

import structlog
import trustme

from hub.app import RunningHub
from hub.sandbox import SandboxPlatform
from tests.admin_api.conftest import Operator
from tests.hubs import ADMIN_TOKEN, SECRET_KEY


async def test_no_token_is_ever_shown_again(
    admin: Operator, hub: RunningHub, cpo: SandboxPlatform, tmp_path: Path
) -> None:
    secrets = [ADMIN_TOKEN, SECRET_KEY]
    answers: list[str] = []

    async def look(platform_id: str) -> None:
        paths = (f"/platforms/{platform_id}", "/platforms", "/parties", "/alarms", "/openapi.json")
        answers.extend([(await admin.get(path)).text for path in paths])
        platform = hub.registry.snapshot.platform(platform_id)
        assert platform is not None
        secrets.extend(token.fingerprint for token in platform.tokens)
        secrets.extend([platform.connection.sealed_token] if platform.connection else [])
        counterpart, inbound = cpo.counterpart, cpo.connection.inbound_token
        secrets.extend([counterpart.token] if counterpart else [])
        secrets.extend([inbound] if inbound else [])

    with structlog.testing.capture_logs() as lines:
        invited = await admin.invite("Charge")
        platform_id = invited["id"]
        await look(platform_id)
        again = (await admin.post(f"/platforms/{platform_id}/invite")).body
        await look(platform_id)
        secrets += [invited["registration_token"], again["registration_token"]]
        assert (await cpo.register(again["versions_url"], again["registration_token"])).ok
        await look(platform_id)
        answers.append((await admin.post(f"/platforms/{platform_id}/rotate")).text)
        await look(platform_id)
        key = trustme.CA().issue_cert("hub.example.com").private_key_pem.bytes().decode()
        secrets.append(key.splitlines()[1])
        refused = {"client_certificate": {"certificate_pem": key, "key_pem": key}}
        answers.append((await admin.call("PATCH", f"/platforms/{platform_id}", refused)).text)
        answers.append((await admin.post(f"/platforms/{platform_id}/selftest")).text)
        token_a = "an-unusable-token-a"
        other = (await admin.invite("Other"))["id"]
        body = {"versions_url": cpo.versions_url, "registration_token": token_a}
        answers.append((await admin.post(f"/platforms/{other}/connect", body)).text)
        secrets.append(token_a)
        await look(platform_id)
        await admin.call("DELETE", f"/platforms/{platform_id}")

    legs = await asyncio.to_thread((tmp_path / "legs.log").read_text)
    written = "\n".join(answers) + repr(lines) + legs
    assert len(set(secrets)) > 10
    assert [secret for secret in secrets if secret in written] == []
