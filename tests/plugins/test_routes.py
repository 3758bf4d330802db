"""Routes of plugins: who may call them, what they are shown, and what is said when they cannot answer."""

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.app import RunningHub
from tests.hubs import ADMIN_TOKEN
from tests.plugins.hosting import hosting, incarnation
from tests.plugins.reloading import Secretive

OPERATOR = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningHub]:
    monkeypatch.setenv("SECRETIVE_PASSWORD", "hush-hush")
    config = {"secretive": {"password": {"env": "SECRETIVE_PASSWORD"}}}
    async with hosting(tmp_path, Secretive, config=config, only=()) as (running, _):
        yield running


async def call(hub: RunningHub, method: str, path: str, **options: Any) -> tuple[int, Any, str]:
    async with aiohttp.ClientSession() as client, client.request(method, f"{hub.url}{path}", **options) as answer:
        kind = answer.headers.get("Content-Type", "")
        return answer.status, await answer.json(content_type=None) if "json" in kind else await answer.text(), kind


async def test_a_route_that_checks_itself(hub: RunningHub) -> None:
    headers = {"Authorization": "Bearer hush-hush"}
    status, body, _ = await call(hub, "GET", "/secretive/a%2Fb?x=1", headers=headers)
    assert (status, body) == (200, {"part": "a/b", "query": {"x": "1"}})
    assert (await call(hub, "GET", "/secretive/a"))[0] == 401
    assert (await call(hub, "GET", "/secretive/a/b", headers=headers))[0] == 404


async def test_a_public_route_sees_no_credentials(hub: RunningHub) -> None:
    status, body, _ = await call(hub, "GET", "/open", headers={"Authorization": "Bearer x", "Cookie": "a=b"})
    assert status == 200
    assert "host" in body
    assert not {"authorization", "cookie"} & set(body)


async def test_a_route_for_operators(hub: RunningHub) -> None:
    assert (await call(hub, "POST", "/admin/v1/secretive", json={"a": 1}))[0] == 401
    status, body, _ = await call(hub, "POST", "/admin/v1/secretive", json={"a": 1}, headers=OPERATOR)
    assert (status, body) == (201, {"got": {"a": 1}, "authorization": None})
    assert (await call(hub, "DELETE", "/admin/v1/secretive", headers=OPERATOR))[0] == 405
    assert (await call(hub, "POST", "/secretive", json={}))[0] == 404


async def test_what_goes_wrong_is_a_problem_a_person_can_read(hub: RunningHub) -> None:
    away = await call(hub, "GET", "/admin/v1/secretive", headers=OPERATOR)
    assert (away[0], away[2]) == (503, "application/problem+json")
    wrong = await call(hub, "POST", "/admin/v1/secretive", data=b"{", headers=OPERATOR)
    assert (wrong[0], wrong[2]) == (400, "application/problem+json")
    assert incarnation(hub, Secretive).guard.standing.failures == 0  # a caller's mistake is none of the plugin's
    body = io.BytesIO(b"x" * (1024 * 1024 + 1))
    large = await call(hub, "POST", "/admin/v1/secretive", data=body, headers=OPERATOR)
    assert large[0] == 413
