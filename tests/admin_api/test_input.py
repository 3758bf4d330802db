"""What is sent wrongly: every mistake gets a sentence that names it, none gets a traceback, none is repeated back."""

import io
import zlib
from collections.abc import AsyncIterator

import pytest

from hub.app import RunningHub
from hub.web.admin.door import MAX_BODY
from tests.admin_api.conftest import BEARER, Operator

ROLE = {"role": "CPO", "country_code": "NL", "party_id": "ABC"}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"name=Charge",
        b'{"name": NaN}',
        b'{"name": "Charge", "forward_timeout_s": Infinity}',
        b'{"name": "\xff"}',
        b"[" * 200_000,
        b'["name"]',
        b'"name"',
        b"null",
        b"\x00",
    ],
    ids=lambda body: repr(body[:20]),
)
async def test_a_body_that_is_no_json_object_is_400(admin: Operator, body: bytes) -> None:
    reply = await admin.post("/platforms", body)

    assert reply.status == 400
    assert "body" in reply.body["title"]


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/name"]),
        ({"name": ""}, ["/name"]),
        ({"name": "   "}, ["/name"]),
        ({"name": "x" * 101}, ["/name"]),
        ({"name": 7}, ["/name"]),
        ({"name": "C", "colour": "red"}, ["/colour"]),
        ({"name": "C", "roles": "CPO"}, ["/roles"]),
        ({"name": "C", "roles": [{}]}, ["/roles/0/role", "/roles/0/country_code", "/roles/0/party_id"]),
        ({"name": "C", "roles": [{**ROLE, "role": "CEO"}]}, ["/roles/0/role"]),
        ({"name": "C", "roles": [{**ROLE, "country_code": "NLD"}]}, ["/roles/0/country_code"]),
        ({"name": "C", "roles": [{**ROLE, "party_id": "AB\n"}]}, ["/roles/0/party_id"]),
        ({"name": "C", "roles": [ROLE, {**ROLE, "x/~": 1}]}, ["/roles/1/x~1~0"]),
    ],
)
async def test_a_member_that_does_not_fit_is_named(admin: Operator, body: object, pointers: list[str]) -> None:
    reply = await admin.post("/platforms", body)

    assert reply.status == 422
    assert reply.pointers == pointers
    assert pointers[0] in reply.body["title"]


async def test_a_refused_value_is_not_repeated(admin: Operator) -> None:
    platform_id = (await admin.invite())["id"]
    secret = "a-secret " * 20

    replies = [
        await admin.post(f"/platforms/{platform_id}/connect", {"versions_url": 1, "registration_token": secret}),
        await admin.call("PATCH", f"/platforms/{platform_id}", {"client_certificate": secret}),
        await admin.call("PATCH", f"/platforms/{platform_id}", {"client_certificate": {"key_pem": secret}}),
    ]

    for reply in replies:
        assert reply.status == 422
        assert "a-secret" not in reply.text


async def test_a_call_that_takes_nothing_says_so(admin: Operator) -> None:
    platform_id = (await admin.invite())["id"]

    empty = await admin.post(f"/platforms/{platform_id}/suspend", {})
    too_much = await admin.post(f"/platforms/{platform_id}/resume", {"reason": "lunch"})

    assert empty.status == 200
    assert (too_much.status, too_much.pointers) == (422, ["/reason"])


async def test_a_body_over_the_limit_is_413(admin: Operator, hub: RunningHub) -> None:
    huge = b'{"name": "' + b"x" * MAX_BODY + b'"}'

    async def in_chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(huge), 65536):
            yield huge[start : start + 65536]

    for sent in (io.BytesIO(huge), in_chunks()):
        async with admin.session.post(f"{hub.url}/admin/v1/platforms", data=sent, headers=BEARER) as answer:
            assert answer.status == 413
            assert answer.content_type == "application/problem+json"


async def test_a_compressed_body_is_measured_after_it_is_opened(admin: Operator) -> None:
    headers = {**BEARER, "Content-Encoding": "deflate"}
    bomb = zlib.compress(b" " * (64 * MAX_BODY))
    small = zlib.compress(b'{"name": "Charge"}')

    assert len(bomb) < MAX_BODY
    assert (await admin.call("POST", "/platforms", bomb, headers=headers)).status in (400, 413)
    assert (await admin.call("POST", "/platforms", small, headers=headers)).status == 201
    assert (await admin.call("POST", "/platforms", b"not deflate", headers=headers)).status == 400


@pytest.mark.parametrize("path", ["/platforms", "/parties", "/agreements", "/catalog/locations", "/pulls", "/alarms"])
@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"limit": "0"}, "?limit"),
        ({"limit": "1001"}, "?limit"),
        ({"limit": "many"}, "?limit"),
        ({"after": "!"}, "?after"),
        ({"after": ""}, "?after"),
        ({"after": "x" * 1001}, "?after"),
        ({"offset": "10"}, "?offset"),
    ],
)
async def test_a_query_that_does_not_fit_is_named(
    admin: Operator, path: str, query: dict[str, str], pointer: str
) -> None:
    reply = await admin.get(path, **query)

    assert reply.status == 422
    assert reply.pointers == [pointer]


async def test_while_the_store_is_away_changes_are_503_and_reading_goes_on(admin: Operator, hub: RunningHub) -> None:
    platform_id = (await admin.invite())["id"]
    await hub.store.close()

    changes = [
        await admin.post("/platforms", {"name": "Other"}),
        await admin.post(f"/platforms/{platform_id}/suspend"),
        await admin.call("PATCH", f"/platforms/{platform_id}", {"forward_timeout_s": 5}),
        await admin.call("DELETE", f"/platforms/{platform_id}"),
    ]

    assert [reply.status for reply in changes] == [503] * 4
    assert (await admin.get(f"/platforms/{platform_id}")).status == 200


async def test_a_mistake_of_the_hub_shows_no_insides(
    admin: Operator, hub: RunningHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("inside")

    monkeypatch.setattr(type(hub.operations), "suspend", broken)

    reply = await admin.post("/platforms/x/suspend")

    assert reply.status == 500
    assert "inside" not in reply.text
