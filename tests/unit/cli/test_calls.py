"""`hub.cli.calls`: how a refusal of the hub reaches the terminal."""

import click
import pytest

from hub.cli.calls import ask
from hub.cli.options import HubAddress
from hub.web.admin import AdminClient, Problem


def test_a_refusal_that_quotes_a_platform_cannot_steer_the_terminal() -> None:
    async def refused(client: AdminClient) -> Problem:
        return Problem(502, "The handshake failed", "the platform said \x1b[2J\rall is well")

    with pytest.raises(click.ClickException) as refusal:
        ask(HubAddress("http://127.0.0.1:9", "token", None), refused)

    assert refusal.value.message == (
        "The handshake failed: the platform said \N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}all is well"
    )
