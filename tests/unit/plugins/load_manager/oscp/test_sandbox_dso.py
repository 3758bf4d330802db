"""The simulated DSO: at a terminal, and the mistakes it answers."""

import asyncio
import io
import sys
from asyncio.subprocess import PIPE
from decimal import Decimal

import pytest
from click.testing import CliRunner
from rich.console import Console

from hub.cli.sandbox import sandbox
from hub.sandbox.dso import DsoHabits, SandboxDso
from hub.sandbox.dso.run import run
from tests.unit.plugins.load_manager.oscp.socket_hub import site
from tests.waiting import until


async def test_a_dso_at_a_terminal() -> None:
    on = Console(file=io.StringIO(), width=200)
    async with site() as s:
        invitation = await s.providers.create("Grid One")
        s.told.groups = {"G1": invitation.id}
        token = invitation.registration_token
        playing = asyncio.create_task(
            run(invitation.base_url, token, group="G1", limit_kw=Decimal(30), every_s=900, console=on, clock=s.clock)
        )
        await until(lambda: len(s.told.forecasts) == 2)
        fallback, limit = s.told.forecasts
        assert [one.capacity for one in fallback.blocks] == [Decimal("12.0")]
        assert [one.capacity for one in limit.blocks] == [30, 30, 15, 30]
        assert s.told.count("online") == 1
        await until(lambda: s.providers.every()[0].heartbeats_in == 1)
        await s.pass_by(60, lambda: s.providers.every()[0].heartbeats_in == 2)

        playing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await playing
        assert s.told.events[-1][0] == "offline"
    assert isinstance(on.file, io.StringIO)
    text = on.file.getvalue()
    assert "hands shaken" in text
    assert "CONSUMPTION G1: 30 kW" in text
    assert "<- POST /oscp/cp/2.0/heartbeat" in text
    assert token not in text
    assert str(s.dso.link.inbound_token) not in text


async def test_a_refused_registration_ends_the_run_with_1() -> None:
    on = Console(file=io.StringIO(), width=200)
    async with site() as s:
        invitation = await s.providers.create("Grid One")
        assert await run(invitation.base_url, "not-issued", console=on) == 1
    assert isinstance(on.file, io.StringIO)
    assert "HTTP 401" in on.file.getvalue()
    assert "not-issued" not in on.file.getvalue()


async def test_what_the_dso_does_not_take() -> None:
    async with SandboxDso(habits=DsoHabits(needs_headers={"fp-id": "FP1"})) as dso:
        token = dso.issue_token()
        dso.link.base_url = dso.base_url  # it talks to itself

        async def status(path: str, body: object, *, fp_id: str = "FP1", with_token: str = token) -> int:
            return (await dso.send(path, body, token=with_token, extra={"fp-id": fp_id})).status

        assert await status("heartbeat", {}, with_token="another") == 401
        assert await status("heartbeat", {}, fp_id="FP2") == 403
        assert await status("heartbeat", {}) == 400
        assert await status("heartbeat", b"{") == 400
        assert await status("update_group_capacity_forecast", {}) == 404
        assert await status("heartbeat", {"offline_mode_at": "2026-01-01T00:00:00Z"}) == 204
        assert await status("register", {"token": "t", "version_url": [{"version": "9", "base_url": "x"}]}) == 501
        assert [one.module for one in dso.received.of("heartbeat")] == ["heartbeat"] * 5


async def test_the_command_plays_a_dso_until_it_is_stopped() -> None:
    async with site() as s:
        invitation = await s.providers.create("Grid One")
        s.told.groups = {"G1": invitation.id}
        arguments = ("--hub", invitation.base_url, "--token", invitation.registration_token, "--group", "G1")
        playing = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub", "sandbox", "dso", *arguments, "--limit-kw", "12.5", stdout=PIPE
        )
        try:
            await until(lambda: len(s.told.forecasts) == 2)
            assert str(s.told.forecasts[1].blocks[0].capacity) == "12.5"
            playing.terminate()
            assert await playing.wait() == 0
        finally:
            if playing.returncode is None:
                playing.kill()
            await playing.communicate()
        assert s.told.events[-1][0] == "offline"


@pytest.mark.parametrize(("kind", "option", "value"), [("dso", "--party", "NL/ABC"), ("cpo", "--group", "G1")])
def test_the_command_refuses_what_means_nothing(kind: str, option: str, value: str) -> None:
    result = CliRunner().invoke(sandbox, [kind, "--hub", "http://127.0.0.1:1", "--token", "x", option, value])
    assert result.exit_code == 2
    assert option in result.output
