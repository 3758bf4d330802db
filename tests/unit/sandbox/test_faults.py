"""Scripted faults, each proven against a real client; on the wire where a client would hide the difference."""

import asyncio

import pytest

from hub.clock import ManualClock
from hub.ocpi import names, token
from hub.ocpi.names import Interface, Role
from hub.ocpi.token import TokenEncoding
from hub.sandbox import Answer, SandboxPlatform, objects

S, R = Interface.SENDER, Interface.RECEIVER


async def get_tokens(platform: SandboxPlatform) -> Answer:
    return await platform.call("GET", names.TOKENS, S, to="NL/EMA", sender="NL/CPA")


async def raw_get(caller: SandboxPlatform, served: SandboxPlatform) -> bytes | Exception:
    """Everything that comes back on a connection of its own, or the error that ended it."""
    assert caller.counterpart is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    credentials = token.authorization(caller.counterpart.token, TokenEncoding.PLAIN)
    writer.write(f"GET /ocpi/2.2.1/s/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: {credentials}\r\n\r\n".encode())
    pieces = []
    try:
        async with asyncio.timeout(5):
            while piece := await reader.read(65536):
                pieces.append(piece)
    except ConnectionResetError as problem:
        return problem
    finally:
        writer.close()
    return b"".join(pieces)


async def test_a_verbatim_answer_keeps_its_bytes_and_the_usual_headers(
    cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    body = b'{"data":{"n":0.10,"e":1E2},"status_code":1000,"timestamp":"2026-01-01T00:00:00"}'
    fault = emsp.faults.on(names.TOKENS, S, "GET").answer(200, body, {"X-Total-Count": "7", "x-request-id": "mine"})
    answer = await get_tokens(cpo)
    assert answer.body == body
    assert answer.headers["X-Total-Count"] == "7"
    assert answer.headers["X-Request-ID"] == "mine"
    assert answer.headers["OCPI-to-party-id"] == "CPA"
    assert answer.headers["Content-Type"] == "application/json"
    assert fault.hits == 1


@pytest.mark.parametrize("status", [201, 204, 400, 401, 403, 404, 429, 500, 502, 503, 504])
async def test_any_status_without_a_body(cpo: SandboxPlatform, emsp: SandboxPlatform, status: int) -> None:
    emsp.faults.on().answer(status)
    answer = await get_tokens(cpo)
    assert (answer.status, answer.body, answer.status_code) == (status, b"", None)
    assert not answer.ok


async def test_faults_fit_by_module_interface_method_and_tail(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.SESSIONS, R, "PUT", tail="NL/CPA/S2").answer(503)
    statuses = [
        (await cpo.call("PUT", names.SESSIONS, R, f"NL/CPA/{one}", body=objects.session("NL/CPA", one))).status
        for one in ("S1", "S2")
    ]
    assert statuses == [201, 503]
    assert (await cpo.call("GET", names.SESSIONS, R, "NL/CPA/S2")).status == 404
    assert (await get_tokens(cpo)).ok


async def test_faults_follow_each_other_as_often_as_they_were_told(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(times=2).answer(500)
    emsp.faults.on(times=1).answer(503)
    assert [(await get_tokens(cpo)).status for _ in range(4)] == [500, 500, 503, 200]


async def test_hanging_requests_end_when_released(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    fault = emsp.faults.on(names.TOKENS).hang()
    calls = [asyncio.create_task(get_tokens(cpo)) for _ in range(20)]
    await emsp.wait_for(names.TOKENS, count=20)
    assert not any(call.done() for call in calls)
    assert emsp.open_connections >= 20
    fault.release()
    assert all(answer.ok for answer in await asyncio.gather(*calls))


async def test_removing_a_fault_lets_go_and_the_next_request_is_normal(
    cpo: SandboxPlatform, emsp: SandboxPlatform
) -> None:
    emsp.faults.on(names.TOKENS).hang()
    call = asyncio.create_task(get_tokens(cpo))
    await emsp.wait_for(names.TOKENS)
    emsp.faults.clear()
    assert (await call).ok
    assert (await get_tokens(cpo)).ok


async def test_stopping_ends_hanging_requests(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).hang()
    calls = [asyncio.create_task(get_tokens(cpo)) for _ in range(3)]
    await emsp.wait_for(names.TOKENS, count=3)
    await emsp.stop()
    answers = await asyncio.gather(*calls)
    assert all(answer.status == 0 and answer.failure is not None for answer in answers)


async def test_a_client_that_gives_up_frees_its_request(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).hang()
    cpo.habits.call_timeout_s = 0.05
    answer = await get_tokens(cpo)
    assert answer.failure == "no answer within 0.05 s"
    assert answer.elapsed_s >= 0.05


async def test_a_delay_waits_for_its_event(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    event = asyncio.Event()
    emsp.faults.on(names.TOKENS).delay(event)
    call = asyncio.create_task(get_tokens(cpo))
    await emsp.wait_for(names.TOKENS)
    assert not call.done()
    event.set()
    assert (await call).ok


async def test_a_delay_in_seconds_passes_on_the_clock_of_the_platform(emsp: SandboxPlatform) -> None:
    clock = ManualClock()
    async with SandboxPlatform("Slow", [(Role.CPO, "NL", "CPA")], clock=clock) as slow:
        assert (await emsp.register(slow.versions_url, slow.issue_token())).ok
        slow.faults.on(names.LOCATIONS).delay(30)
        call = asyncio.create_task(emsp.call("GET", names.LOCATIONS, S))
        await asyncio.wait_for(clock.until_asleep(), 5)
        assert not call.done()
        await clock.advance(30)
        assert (await call).ok


async def test_a_real_delay(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).delay(0.05)
    answer = await get_tokens(cpo)
    assert answer.ok
    assert answer.elapsed_s >= 0.05


async def test_a_reset_is_a_reset_on_the_wire(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS, times=1).reset(after=0)
    assert isinstance(await raw_get(cpo, emsp), ConnectionResetError)
    emsp.faults.on(names.TOKENS, times=1).reset()
    answer = await get_tokens(cpo)
    assert (answer.status, answer.body) == (0, b"")
    assert answer.failure is not None
    assert (await get_tokens(cpo)).ok


async def test_one_call_is_one_request_on_the_wire(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    assert (await get_tokens(cpo)).ok  # leaves a connection open for the next call
    emsp.faults.on(names.TOKENS, times=1).hang_up()
    assert (await get_tokens(cpo)).failure == "no answer: ServerDisconnectedError"
    assert len(emsp.received) == 2


async def test_half_a_body_ends_properly_and_too_early(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    whole = await get_tokens(cpo)
    emsp.faults.on(names.TOKENS).half_body()
    got = await raw_get(cpo, emsp)
    assert isinstance(got, bytes)
    head, _, body = got.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(whole.body)}".encode() in head
    assert len(body) == len(whole.body) // 2
    answer = await get_tokens(cpo)
    assert (answer.status, answer.failure) == (0, "no answer: ClientPayloadError")


async def test_hanging_up_sends_nothing(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).hang_up()
    assert await raw_get(cpo, emsp) == b""


async def test_garbage_is_not_http(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).garbage(b"\x00\x01\x02 nonsense\r\n\r\n")
    assert await raw_get(cpo, emsp) == b"\x00\x01\x02 nonsense\r\n\r\n"
    answer = await get_tokens(cpo)
    assert answer.status == 0
    assert answer.failure is not None


async def test_redirects_are_answered_and_not_followed(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).redirect("http://127.0.0.1:1/elsewhere")
    answer = await get_tokens(cpo)
    assert (answer.status, answer.headers["Location"]) == (307, "http://127.0.0.1:1/elsewhere")
    assert answer.body == b""
    assert len(emsp.received) == 1


async def test_a_web_page_is_no_envelope(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).not_json()
    answer = await get_tokens(cpo)
    assert (answer.status, answer.status_code, answer.data) == (200, None, None)
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_oversize_answer_is_a_valid_envelope(
    cpo: SandboxPlatform, emsp: SandboxPlatform, *, chunked: bool
) -> None:
    emsp.faults.on(names.TOKENS).oversize(3_000_000, chunked=chunked)
    answer = await get_tokens(cpo)
    assert len(answer.body) == 3_000_000
    assert answer.ok
    assert ("Content-Length" in answer.headers) is not chunked


async def test_an_answer_nobody_reads_does_not_hold_up_the_stop(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).oversize(50_000_000, chunked=True)
    cpo.habits.max_body = 1000
    assert (await get_tokens(cpo)).status == 0
    await asyncio.wait_for(emsp.stop(), 2)


async def test_a_dripping_answer_arrives_in_the_end(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).drip(interval_s=0.001)
    answer = await get_tokens(cpo)
    assert answer.ok
    assert answer.elapsed_s >= 0.001 * len(answer.body)


async def test_a_dripping_answer_may_outlast_a_deadline(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).drip(interval_s=0.05)
    cpo.habits.call_timeout_s = 0.2
    assert (await get_tokens(cpo)).failure == "no answer within 0.2 s"


async def test_dark_means_refused_on_the_same_port(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    port = emsp.port
    assert (await get_tokens(cpo)).ok
    await emsp.go_dark()
    await emsp.go_dark()
    answer = await get_tokens(cpo)
    assert answer.failure == "no answer: ClientConnectorError"
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    assert (await emsp.call("GET", names.CREDENTIALS, None)).ok  # it still sends
    await emsp.come_back()
    await emsp.come_back()
    assert emsp.port == port
    assert (await get_tokens(cpo)).ok


async def test_going_dark_breaks_requests_off(cpo: SandboxPlatform, emsp: SandboxPlatform) -> None:
    emsp.faults.on(names.TOKENS).hang()
    call = asyncio.create_task(get_tokens(cpo))
    await emsp.wait_for(names.TOKENS)
    await emsp.go_dark()
    assert (await call).status == 0
    assert emsp.open_connections == 0


async def test_nobody_else_gets_the_port_of_a_dark_platform(emsp: SandboxPlatform) -> None:
    await emsp.go_dark()
    with pytest.raises(OSError, match="in use"):
        await asyncio.start_server(lambda *_: None, "127.0.0.1", emsp.port, reuse_address=False)
