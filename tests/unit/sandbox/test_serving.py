"""What every endpoint of a simulated platform has in common: records, ids, routing headers, methods, paths, waiting."""

import asyncio
from contextlib import aclosing

import pytest

from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import EVERYTHING, Reply, RoutingAnswer, SandboxPlatform, ServedEndpoint, objects

S, R = Interface.SENDER, Interface.RECEIVER


async def test_a_request_is_recorded_as_it_came(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    body = b'{"id":"S%2F1","country_code":"NL","party_id":"CPA","kwh":0.10,"x":1E2}'
    await cpo.call("PUT", names.SESSIONS, R, "NL/CPA/S%2F1", to="NL/EMA", sender="NL/CPA", query="a=%2F+b", body=body)
    one = await emsp.wait_for(names.SESSIONS, method="PUT")
    assert one.target == "/ocpi/2.2.1/r/sessions/NL/CPA/S%2F1?a=%2F+b"
    assert (one.tail, one.segments, one.query) == ("NL/CPA/S%2F1", ("NL", "CPA", "S/1"), "a=%2F+b")
    assert one.body == body
    assert one.interface is R
    assert one.headers["ocpi-TO-party-id"] == "EMA"
    assert (one.to, one.sender) == (PartyId("NL", "EMA"), PartyId("NL", "CPA"))
    assert one.headers["content-type"] == "application/json"
    assert "Authorization" not in repr(one)


async def test_answers_echo_ids_and_swap_routing_headers(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    ids = {"X-Request-ID": "req-1", "X-Correlation-ID": "cor-1"}
    answer = await cpo.call("GET", names.TOKENS, S, to="NL/EMA", sender="NL/CPA", headers=ids)
    assert answer.ok
    assert answer.headers["x-request-id"] == "req-1"
    assert answer.headers["X-Correlation-ID"] == "cor-1"
    assert (answer.headers["OCPI-to-party-id"], answer.headers["OCPI-from-party-id"]) == ("CPA", "EMA")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.elapsed_s > 0

    emsp.habits.routing = RoutingAnswer.AS_RECEIVED
    answer = await cpo.call("GET", names.TOKENS, S, to="NL/EMA", sender="NL/CPA")
    assert (answer.headers["OCPI-to-party-id"], answer.headers["OCPI-from-party-id"]) == ("EMA", "CPA")

    emsp.habits.routing = RoutingAnswer.ABSENT
    emsp.habits.echo_ids = False
    answer = await cpo.call("GET", names.TOKENS, S, to="NL/EMA", sender="NL/CPA")
    assert "OCPI-to-party-id" not in answer.headers
    assert "X-Request-ID" not in answer.headers


async def test_configuration_modules_never_answer_with_routing_headers(cpo: SandboxPlatform) -> None:
    answer = await cpo.call("GET", names.CREDENTIALS, None, to="NL/EMA", sender="NL/CPA")
    assert answer.ok
    assert "OCPI-to-party-id" not in answer.headers


async def test_headers_can_be_changed_and_taken_away(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    changes = {"x-request-id": None, "OCPI-to-party-id": "EMA", "Authorization": None}
    answer = await cpo.call("GET", names.TOKENS, S, headers=changes)
    one = emsp.received[-1]
    assert answer.status == 401
    assert one.request_id is None
    assert one.headers["OCPI-to-party-id"] == "EMA"
    assert one.to is None  # half a pair
    assert "Content-Type" not in one.headers


@pytest.mark.parametrize(
    ("method", "module", "interface", "tail", "allow"),
    [
        ("PATCH", names.TARIFFS, R, "NL/CPA/T1", {"GET", "PUT", "DELETE"}),
        ("POST", names.LOCATIONS, R, "NL/CPA/L1", {"GET", "PUT", "PATCH"}),
        ("PUT", names.CDRS, R, "1", {"GET"}),
        ("POST", names.TOKENS, S, "", {"GET"}),
        ("DELETE", names.HUB_CLIENT_INFO, R, "NL/CPA", {"GET", "PUT"}),
    ],
)
async def test_wrong_methods_are_405(
    cpo: SandboxPlatform, method: str, module: str, interface: Interface, tail: str, allow: set[str]
) -> None:
    answer = await cpo.call(method, module, interface, tail, body=b"{}")
    assert (answer.status, answer.status_code) == (405, 2000)
    assert set(answer.headers["Allow"].split(", ")) == allow


async def test_unknown_paths_are_404(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    for path in ("/", "/ocpi/2.9.9", "/ocpi/2.2.1/s/tokens/a/b/c/d", "/ocpi/2.2.1/s/locations", "/ocpi/2.2.1/r/tokens"):
        answer = await cpo.call("GET", names.TOKENS, S, url=emsp.base_url + path)
        assert (answer.status, answer.status_code) == (404, 2000), path
    assert emsp.received[0].module is None


async def test_a_body_that_is_not_json_is_400(cpo: SandboxPlatform) -> None:
    answer = await cpo.call("PUT", names.SESSIONS, R, "NL/CPA/S1", body=b'{"id":')
    assert (answer.status, answer.status_code) == (400, 2000)


async def test_a_body_over_the_limit_is_413(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.habits.max_body = 1000
    answer = await cpo.call("PUT", names.SESSIONS, R, "NL/CPA/S1", body=b" " * 1001)
    assert (answer.status, answer.status_code) == (413, 2000)


async def test_an_answer_over_the_limit_is_a_failure(cpo: SandboxPlatform) -> None:
    cpo.habits.max_body = 20
    answer = await cpo.call("GET", names.TOKENS, S)
    assert answer.status == 0
    assert answer.failure is not None


async def test_a_party_that_is_not_hosted_is_2001_unless_nobody_checks(
    cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    assert (await cpo.call("GET", names.TOKENS, S, to="XX/ZZZ", sender="NL/CPA")).status_code == 2001
    assert (await cpo.call("GET", names.TOKENS, S, to="nl/ema", sender="NL/CPA")).ok
    emsp.habits.checks_to = False
    assert (await cpo.call("GET", names.TOKENS, S, to="XX/ZZZ", sender="NL/CPA")).ok


async def test_endpoints_by_role_and_by_hand() -> None:
    both = SandboxPlatform("Both", [(Role.CPO, "FR", "DUO"), (Role.EMSP, "FR", "DUO")])
    assert {(one.module, one.interface) for one in both.endpoints} == set(EVERYTHING)
    service = SandboxPlatform("Service", [(Role.SCSP, "NL", "SCS")])
    assert [(one.module, one.interface) for one in service.endpoints] == [
        (names.CHARGING_PROFILES, S),
        (names.SESSIONS, R),
    ]
    by_hand = SandboxPlatform("Hand", [(Role.OTHER, "SE", "OTH")], modules=[(names.TOKENS, S)])
    assert [(one.module, one.interface) for one in by_hand.endpoints] == [(names.TOKENS, S)]
    with pytest.raises(KeyError):
        by_hand.url(names.LOCATIONS, S)


async def test_paths_and_advertised_urls_can_differ(emsp: SandboxPlatform) -> None:
    modules = [
        ServedEndpoint(names.TOKENS, R, advertised="/ocpi/2.2.1/r/tokens/"),
        ServedEndpoint(names.LOCATIONS, S, path="/elsewhere/locs", advertised="/elsewhere/locs?tenant=7"),
        ServedEndpoint(names.CDRS, S, advertised="http://127.0.0.1:1/cdrs"),
    ]
    async with SandboxPlatform("Odd", [(Role.CPO, "NL", "CPA")], modules=modules) as odd:
        assert (await odd.register(emsp.versions_url, emsp.issue_token())).ok
        token = objects.token("NL/EMA", "123")
        assert (await emsp.call("PUT", names.TOKENS, R, "NL/EMA/123/", body=token)).status == 201
        assert odd.received[-1].target == "/ocpi/2.2.1/r/tokens/NL/EMA/123/"
        assert (await emsp.call("GET", names.LOCATIONS, S, query="limit=5")).ok
        assert odd.received[-1].target == "/elsewhere/locs?tenant=7&limit=5"
        assert (await emsp.call("GET", names.CDRS, S)).failure is not None


async def test_the_advertised_host_can_be_named() -> None:
    async with SandboxPlatform("Named", [(Role.CPO, "NL", "CPA")], base_url="http://localhost:{port}/") as named:
        assert named.versions_url == f"http://localhost:{named.port}/ocpi/versions"


async def test_custom_modules_keep_what_they_get(emsp: SandboxPlatform) -> None:
    modules = [("nlcpa-notes", R), ("nlcpa-notes", S)]
    async with SandboxPlatform("Custom", [(Role.CPO, "NL", "CPA")], modules=modules) as custom:
        assert (await custom.register(emsp.versions_url, emsp.issue_token())).ok
        assert (await emsp.call("PUT", "nlcpa-notes", R, "a/b", body={"text": "one"})).status == 201
        assert (await emsp.call("PATCH", "nlcpa-notes", R, "a/b", body={"more": 2})).ok
        assert (await emsp.call("GET", "nlcpa-notes", R, "A/B")).data == {"text": "one", "more": 2}
        assert (await emsp.call("GET", "nlcpa-notes", S)).data == [{"text": "one", "more": 2}]
        assert (await emsp.call("POST", "nlcpa-notes", R, "act", body={})).ok
        assert (await emsp.call("DELETE", "nlcpa-notes", R, "a/b")).ok
        assert (await emsp.call("GET", "nlcpa-notes", R, "a/b")).status == 404


async def test_a_behaviour_can_be_replaced(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    async def later(_: object) -> Reply:
        await asyncio.sleep(0)
        return emsp.replies.ok({"answer": 42}, status=201)

    emsp.serve(names.SESSIONS, R, later)
    answer = await cpo.call("PUT", names.SESSIONS, R, "NL/CPA/S1", to="NL/EMA", sender="NL/CPA", body=b"{}")
    assert (answer.status, answer.data) == (201, {"answer": 42})
    assert answer.headers["OCPI-to-party-id"] == "CPA"


async def test_a_behaviour_that_fails_is_an_answer_with_an_envelope(
    cpo: SandboxPlatform, emsp: SandboxPlatform, caplog: pytest.LogCaptureFixture
) -> None:
    await cpo.call("PUT", names.SESSIONS, R, "NL/CPA/S1", body=objects.session("NL/CPA", "S1"))
    change = {"charging_periods": 5, "last_updated": "2026-01-02T00:00:00Z"}
    answer = await cpo.call("PATCH", names.SESSIONS, R, "NL/CPA/S1", body=change)
    assert (answer.status, answer.status_code) == (500, 3000)
    assert "the behaviour of sessions RECEIVER failed" in caplog.text
    assert (await cpo.call("GET", names.SESSIONS, R, "NL/CPA/S1")).ok


async def test_an_empty_body_is_sent_as_one(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.own.put(names.TOKENS, objects.token("NL/EMA", "U1"))
    assert (await cpo.call("POST", names.TOKENS, S, "U1/authorize", body=b"")).ok
    assert emsp.received[-1].headers["Content-Length"] == "0"
    assert emsp.received[-1].headers["Content-Type"] == "application/json"


async def test_waiting_counts_filters_and_ends(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    waiting = asyncio.create_task(emsp.wait_for(names.SESSIONS, method="PUT", tail="NL/CPA/S2", count=2))
    for session_id in ("S1", "S2", "S2"):
        session = objects.session("NL/CPA", session_id)
        await cpo.call("PUT", names.SESSIONS, R, f"NL/CPA/{session_id}", body=session)
    assert await waiting is emsp.received[-1]
    assert len(emsp.received.of(names.SESSIONS, R)) == 3
    with pytest.raises(TimeoutError, match=r"last came PUT /ocpi/2\.2\.1/r/sessions/NL/CPA/S1, "):
        await emsp.wait_for(names.CDRS, timeout_s=0.01)
    emsp.received.clear()
    assert len(emsp.received) == 0


async def test_following_sees_every_request_once(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    seen: list[str] = []

    async def watch() -> None:
        async with aclosing(emsp.received.follow()) as requests:
            async for one in requests:
                seen.append(one.query)
                if len(seen) == 3:
                    return

    watching = asyncio.create_task(watch())
    for number in range(3):
        await cpo.call("GET", names.TOKENS, S, query=f"limit={number + 1}")
    await asyncio.wait_for(watching, 5)
    assert seen == ["limit=1", "limit=2", "limit=3"]


async def test_a_taken_port_is_an_error_and_stop_is_safe_at_any_time(emsp: SandboxPlatform) -> None:
    second = SandboxPlatform("Second", [(Role.CPO, "NL", "CPA")], port=emsp.port)
    with pytest.raises(OSError, match="in use"):
        await second.start()
    await second.stop()
    await emsp.stop()
    await emsp.stop()
