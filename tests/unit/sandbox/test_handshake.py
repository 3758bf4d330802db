"""The credentials handshake between two simulated platforms, from both sides, with all that can go wrong in it."""

import base64
from collections.abc import AsyncIterator

import pytest

from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.ocpi.token import TokenEncoding
from hub.sandbox import Habits, SandboxPlatform
from hub.sandbox.endpoints import VERSION_DETAILS

CREDENTIALS = names.CREDENTIALS


@pytest.fixture
async def sender() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Sender", [(Role.CPO, "NL", "CPA"), (Role.CPO, "BE", "CPB")]) as platform:
        yield platform


@pytest.fixture
async def receiver() -> AsyncIterator[SandboxPlatform]:
    async with SandboxPlatform("Receiver", [(Role.EMSP, "NL", "EMA")]) as platform:
        yield platform


def base64_header(token: str) -> str:
    return f"Token {base64.b64encode(token.encode()).decode()}"


async def test_registration_walks_all_steps_with_the_right_tokens(
    sender: SandboxPlatform, receiver: SandboxPlatform
) -> None:
    token_a = receiver.issue_token("token-A")
    receiver.hand_out("token-C")
    handshake = await sender.register(receiver.versions_url, token_a, token_b="token-B")

    assert handshake.ok
    assert (handshake.status, handshake.status_code) == (200, 1000)
    assert handshake.data["token"] == "token-C"
    seen = [(one.method, one.module, one.headers["Authorization"]) for one in receiver.received]
    assert seen == [
        ("GET", names.VERSIONS, base64_header("token-A")),
        ("GET", VERSION_DETAILS, base64_header("token-A")),
        ("POST", CREDENTIALS, base64_header("token-A")),
    ]
    connect_back = [(one.method, one.module, one.headers["Authorization"]) for one in sender.received]
    assert connect_back == [
        ("GET", names.VERSIONS, base64_header("token-B")),
        ("GET", VERSION_DETAILS, base64_header("token-B")),
    ]
    for one in (*receiver.received, *sender.received):
        assert one.request_id
        assert one.correlation_id
        assert one.to is None
        assert one.sender is None
    assert receiver.received[-1].data["roles"][1]["party_id"] == "CPB"


async def test_both_sides_know_each_others_endpoints_and_roles(
    sender: SandboxPlatform, receiver: SandboxPlatform
) -> None:
    await sender.register(receiver.versions_url, receiver.issue_token())
    assert sender.counterpart is not None
    assert receiver.counterpart is not None
    assert sender.counterpart.url(names.TOKENS, Interface.SENDER) == f"{receiver.base_url}/ocpi/2.2.1/s/tokens"
    assert receiver.counterpart.url(names.TOKENS, Interface.RECEIVER) == f"{sender.base_url}/ocpi/2.2.1/r/tokens"
    assert sender.counterpart.url(names.TOKENS, Interface.RECEIVER) is None
    assert [role.party_id for role in receiver.counterpart.roles] == ["CPA", "CPB"]
    assert sender.counterpart.hub_party is None
    assert "token-" not in repr(sender.counterpart)


async def test_a_token_a_opens_only_the_handshake_and_only_once(
    sender: SandboxPlatform, receiver: SandboxPlatform
) -> None:
    token_a = receiver.issue_token()
    with_a = {"Authorization": f"Token {token_a}"}
    versions = await sender.call("GET", names.VERSIONS, None, url=receiver.versions_url, headers=with_a)
    assert versions.ok
    tokens_url = receiver.url(names.TOKENS, Interface.SENDER)
    functional = await sender.call("GET", names.TOKENS, Interface.SENDER, url=tokens_url, headers=with_a)
    assert (functional.status, functional.status_code) == (401, 2000)
    assert functional.headers["WWW-Authenticate"] == "Token"

    assert (await sender.register(receiver.versions_url, token_a)).ok
    again = await sender.call("GET", names.VERSIONS, None, url=receiver.versions_url, headers=with_a)
    assert again.status == 401


async def test_no_token_and_a_wrong_token_are_401(sender: SandboxPlatform, receiver: SandboxPlatform) -> None:
    for headers in ({}, {"Authorization": "Token nope"}, {"Authorization": "Bearer nope"}):
        answer = await sender.call("GET", names.VERSIONS, None, url=receiver.versions_url, headers=headers)
        assert answer.status == 401, headers
        assert answer.status_code == 2000


@pytest.mark.parametrize(
    ("accepts", "header", "status"),
    [
        (None, "Token token-A", 200),
        (None, base64_header("token-A"), 200),
        (TokenEncoding.BASE64, "Token token-A", 401),
        (TokenEncoding.BASE64, base64_header("token-A"), 200),
        (TokenEncoding.PLAIN, "Token token-A", 200),
        (TokenEncoding.PLAIN, base64_header("token-A"), 401),
    ],
)
async def test_encodings_accepted(
    sender: SandboxPlatform, receiver: SandboxPlatform, accepts: TokenEncoding | None, header: str, status: int
) -> None:
    receiver.issue_token("token-A")
    receiver.habits.accepts = accepts
    headers = {"Authorization": header}
    answer = await sender.call("GET", names.VERSIONS, None, url=receiver.versions_url, headers=headers)
    assert answer.status == status


async def test_a_plain_speaking_platform_sends_its_token_as_it_is(receiver: SandboxPlatform) -> None:
    habits = Habits(sends=TokenEncoding.PLAIN)
    async with SandboxPlatform("Plain", [(Role.CPO, "NL", "CPA")], habits=habits) as plain:
        receiver.issue_token("token-A")
        assert (await plain.register(receiver.versions_url, "token-A")).ok
        assert receiver.received[0].headers["Authorization"] == "Token token-A"


async def test_a_failed_connect_back_is_3001_and_changes_nothing(
    sender: SandboxPlatform, receiver: SandboxPlatform
) -> None:
    token_a = receiver.issue_token()
    fault = sender.faults.on(VERSION_DETAILS).answer(500)
    handshake = await sender.register(receiver.versions_url, token_a, token_b="token-B")
    assert not handshake.ok
    assert (handshake.status, handshake.status_code) == (200, 3001)
    assert sender.counterpart is None
    assert receiver.counterpart is None

    with_b = {"Authorization": "Token token-B"}
    mine = await receiver.call("GET", names.VERSIONS, None, url=sender.versions_url, headers=with_b)
    assert mine.status == 401

    sender.faults.remove(fault)
    assert (await sender.register(receiver.versions_url, token_a)).ok


async def test_another_side_without_the_version_is_3002_and_without_credentials_endpoint_3003(
    sender: SandboxPlatform, receiver: SandboxPlatform
) -> None:
    token_a = receiver.issue_token()
    sender.habits.versions = ("2.1.1",)
    assert (await sender.register(receiver.versions_url, token_a)).status_code == 3002
    sender.habits.versions = ("2.1.1", "2.2.1")
    no_endpoints = b'{"data":{"version":"2.2.1","endpoints":[]},"status_code":1000,"timestamp":"2026-01-01T00:00:00Z"}'
    sender.faults.on(VERSION_DETAILS, times=1).answer(200, no_endpoints)
    assert (await sender.register(receiver.versions_url, token_a)).status_code == 3003
    assert (await sender.register(receiver.versions_url, token_a)).ok


async def test_the_sender_stops_where_discovery_fails(sender: SandboxPlatform, receiver: SandboxPlatform) -> None:
    token_a = receiver.issue_token()
    receiver.habits.versions = ("2.1.1",)
    handshake = await sender.register(receiver.versions_url, token_a)
    assert handshake.problem == "the other side does not offer 2.2.1"
    receiver.faults.on(names.VERSIONS).not_json()
    handshake = await sender.register(receiver.versions_url, token_a)
    assert handshake.problem is not None
    assert handshake.problem.startswith("versions:")
    assert receiver.received.of(CREDENTIALS) == []


async def test_states_decide_which_methods_credentials_take(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    post = await cpo.call("POST", CREDENTIALS, None, body=cpo.credentials("token-B"))
    assert (post.status, post.headers["Allow"]) == (405, "GET, PUT, DELETE")
    with_a = {"Authorization": f"Token {emsp.issue_token()}"}
    for method in ("PUT", "DELETE", "PATCH"):
        answer = await cpo.call(method, CREDENTIALS, None, headers=with_a)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")


async def test_get_credentials_repeats_the_presented_token(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    answer = await cpo.call("GET", CREDENTIALS, None)
    assert cpo.counterpart is not None
    assert answer.data["token"] == cpo.counterpart.token
    assert answer.data["url"] == emsp.versions_url


async def test_update_changes_roles_and_both_tokens(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    assert cpo.counterpart is not None
    old = cpo.counterpart.token
    handshake = await cpo.update(roles=[(Role.CPO, "NL", "CPA"), (Role.CPO, "LU", "CPL")], token_b="second-B")
    assert handshake.ok
    assert cpo.counterpart.token != old
    assert emsp.counterpart is not None
    assert emsp.counterpart.token == "second-B"
    assert [role.party_id for role in emsp.counterpart.roles] == ["CPA", "CPL"]

    with_old = {"Authorization": f"Token {old}"}
    assert (await cpo.call("GET", names.VERSIONS, None, url=emsp.versions_url, headers=with_old)).ok
    assert (await cpo.call("GET", CREDENTIALS, None)).ok  # the first use of the new one ends the old one
    assert (await cpo.call("GET", names.VERSIONS, None, url=emsp.versions_url, headers=with_old)).status == 401


async def test_a_refused_update_changes_nothing(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    assert emsp.counterpart is not None
    before = emsp.counterpart
    cpo.faults.on(names.VERSIONS).answer(503)
    handshake = await cpo.update(roles=[(Role.CPO, "LU", "CPL")])
    assert handshake.status_code == 3001
    cpo.faults.clear()
    assert [party_id for _, _, party_id in cpo.roles] == ["CPA"]
    assert emsp.counterpart == before
    assert (await cpo.call("GET", CREDENTIALS, None)).ok
    assert (await emsp.call("GET", CREDENTIALS, None)).ok


async def test_unregister_ends_both_directions(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    answer = await cpo.unregister()
    assert answer.ok
    assert "data" not in (answer.envelope or {})
    assert cpo.counterpart is None
    assert emsp.counterpart is None
    assert (await cpo.call("GET", CREDENTIALS, None)).failure == "not registered"
    assert (await cpo.update()).problem == "not registered"


async def test_bad_credentials_are_refused(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    broken = await cpo.call("PUT", CREDENTIALS, None, body=b'{"token":')
    assert (broken.status, broken.status_code) == (400, 2000)
    without_roles = await cpo.call("PUT", CREDENTIALS, None, body=cpo.credentials("new") | {"roles": []})
    assert (without_roles.status, without_roles.status_code) == (200, 2001)
    assert (await emsp.call("GET", CREDENTIALS, None)).ok
