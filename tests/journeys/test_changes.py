"""What changes around a running federation: the hub's address, its keys, TLS, approvals, deadlines."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
import trustme
from pydantic import SecretStr

from hub import app
from hub.app import RunningHub
from hub.broker.platform_settings import KeyPair, SettingsChange
from hub.broker.refusal import Refusal
from hub.ocpi import headers, names
from hub.ocpi.names import Interface, Role
from hub.sandbox import objects
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World, fixture_world
from hub.store.open import create
from hub.store.vault import Vault, rotate
from tests.hub_process import free_port
from tests.hubs import SECRET_KEY, id_of, invite, register, register_all, role, test_settings
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER


@asynccontextmanager
async def a_hub(folder: Path, **settings: Any) -> AsyncIterator[RunningHub]:
    with (folder / "legs.log").open("ab") as legs:
        async with app.running(test_settings(folder, **settings), legs_to=legs) as hub:
            yield hub


async def test_a_changed_address_is_announced_to_every_platform(tmp_path: Path) -> None:
    async with fixture_world(only=["P1", "P2"]) as world:
        async with a_hub(tmp_path) as hub:
            await register_all(hub, world)
        before = {one.name: one.counterpart for one in world}
        world.forget_received()
        async with a_hub(tmp_path, port=free_port()) as hub:
            for one in world:
                put = await one.wait_for(names.CREDENTIALS, method="PUT")
                assert put.data["url"] == hub.identity.versions_url
            await until(lambda: all(one.counterpart != before[one.name] for one in world))
            answer = await world["P2"].call("GET", names.LOCATIONS, S, to="NL/CPA", sender="NL/EMA")
            assert answer.ok, answer
            assert answer.url.startswith(hub.url)
        world.forget_received()
        async with a_hub(tmp_path, port=hub.settings.port):
            pass
        assert not [one for platform in world for one in platform.received]


async def test_a_rotated_key_changes_nothing_for_platforms(tmp_path: Path) -> None:
    """Tokens, callbacks and page links from before work under the new key alone (rulings 5 and 21)."""
    new = "another-secret-key-only-for-tests"
    async with fixture_world(only=["P1", "P2"]) as world:
        for number in range(3):
            world["P1"].own.put(names.CDRS, objects.cdr("NL/CPA", f"C{number}"))
        async with a_hub(tmp_path) as hub:
            await register_all(hub, world)
            first = await world["P2"].call("GET", names.CDRS, S, to="NL/CPA", sender="NL/EMA", query="limit=2")
            url, port, settings = first.next_url, hub.settings.port, hub.settings
        assert url is not None
        store = create(settings.database_url, settings.mongodb_driver, settings.data_dir)
        await store.open()
        done = await rotate(store, Vault([new, SECRET_KEY]))
        await store.close()
        assert done.platforms == 2
        async with a_hub(tmp_path, port=port, secret_key=(SecretStr(new),)):
            page = await world["P2"].call("GET", "", None, url=url)
            assert [row["id"] for row in page.data] == ["C2"]


async def test_a_platform_behind_a_private_authority(tmp_path: Path) -> None:
    authority = trustme.CA()
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    platform = SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")], tls=served)
    async with platform, fixture_world(only=["P1"]) as world:
        async with a_hub(tmp_path, allow_http=True) as hub:
            handshake = await platform.register(hub.identity.versions_url, await invite(hub, "P9"))
            assert handshake.status_code == 3001, "nobody vouches for it yet"
        async with a_hub(tmp_path, port=hub.settings.port, ca_file=tmp_path / "ca.pem") as hub:
            await register_all(hub, world)
            await register(hub, platform)
            answer = await world["P1"].call("GET", names.TOKENS, S, to="IT/EMN", sender="NL/CPA")
            assert answer.ok, answer


async def test_a_platform_that_wants_a_client_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(served)
    authority.configure_trust(served)
    served.verify_mode = ssl.CERT_REQUIRED
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    shown = authority.issue_cert("hub.test")
    certificate = b"".join(one.bytes() for one in shown.cert_chain_pems).decode()
    async with (
        SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")], tls=served) as platform,
        a_hub(tmp_path, ca_file=tmp_path / "ca.pem") as hub,
    ):
        token = await invite(hub, "P9")
        assert (await platform.register(hub.identity.versions_url, token)).status_code == 3001
        change: SettingsChange = {"client_certificate": KeyPair(certificate, shown.private_key_pem.bytes().decode())}
        assert not isinstance(await hub.operations.change_settings(id_of(hub, "P9"), change), Refusal)
        handshake = await platform.register(hub.identity.versions_url, token)
        assert handshake.ok, handshake.problem


async def test_registration_approval(tmp_path: Path) -> None:
    """With REGISTRATION_APPROVAL only roles an operator named may register, at first and later (ruling 20)."""
    async with (
        a_hub(tmp_path, registration_approval=True) as hub,
        SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")]) as platform,
    ):
        token = await invite(hub, "P9")
        assert (await platform.register(hub.identity.versions_url, token)).status_code == 2001
        approved = await hub.operations.approve(id_of(hub, "P9"), [role("EMSP:IT:EMN")])
        assert not isinstance(approved, Refusal), approved
        assert (await platform.register(hub.identity.versions_url, token)).ok
        more = [(Role.EMSP, "IT", "EMN"), (Role.EMSP, "IT", "TWO")]
        assert (await platform.update(roles=more)).status_code == 2001
        await hub.operations.approve(id_of(hub, "P9"), [role("EMSP:IT:TWO")])
        assert (await platform.update(roles=more)).ok


async def test_deadlines_of_authorizations_and_of_single_platforms(hub: RunningHub, world: World) -> None:
    world["P2"].faults.on(names.TOKENS).hang()
    slow = await world["P1"].call("POST", names.TOKENS, S, "04AA/authorize", to="NL/EMA", sender="NL/CPA")
    assert (slow.status, slow.status_code) == (200, 4002)
    assert hub.settings.authorize_timeout <= slow.elapsed_s < hub.settings.forward_timeout

    def patient(platform: Any) -> Any:
        settings = replace(platform.settings, authorize_timeout_s=0.2)
        return platform.changed(platform.updated_at, settings=settings)

    await hub.registry.change(id_of(hub, "P2"), patient)
    quick = await world["P1"].call("POST", names.TOKENS, S, "04AA/authorize", to="NL/EMA", sender="NL/CPA")
    assert (quick.status, quick.status_code) == (200, 4002)
    assert quick.elapsed_s < hub.settings.authorize_timeout


@pytest.mark.parametrize("body", [None, b""])
async def test_an_authorization_without_a_body_has_none_on_the_way_out(
    hub: RunningHub, world: World, body: bytes | None
) -> None:
    world["P2"].own.put(names.TOKENS, objects.token("NL/EMA", "04AA"))
    answer = await world["P1"].call("POST", names.TOKENS, S, "04AA/authorize", to="NL/EMA", sender="NL/CPA", body=body)
    assert answer.data["allowed"] == "ALLOWED"
    assert world["P2"].received[-1].body == b""


async def test_misspelt_headers_are_told_to_the_operator(hub: RunningHub, world: World) -> None:
    with structlog.testing.capture_logs() as lines:
        await world["P1"].call(
            "GET",
            names.TOKENS,
            S,
            sender="NL/CPA",
            headers={"OCPI-to-countrycode": "NL", "OCPI-to-party_id": "EMA", headers.REQUEST_ID: "r"},
        )
    (line,) = [line for line in lines if line["event"] == "unknown OCPI headers"]
    assert {name.lower() for name in line["names"]} == {"ocpi-to-countrycode", "ocpi-to-party_id"}


async def test_a_flip_there_and_back_at_once_is_stored_as_it_ended(hub: RunningHub, world: World) -> None:
    platform_id = id_of(hub, "P1")
    for _ in range(20):
        hub.liveness._flip(platform_id, online=False)
        hub.liveness._flip(platform_id, online=True)
    await hub.registry.close()
    stored = await hub.store.platforms.get(platform_id)
    assert stored is not None
    assert stored.reachable
    assert platform_id not in hub.liveness.offline
