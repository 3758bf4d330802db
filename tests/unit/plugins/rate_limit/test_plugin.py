"""Who is refused, with which words, and what a change of the configuration keeps."""

from typing import Any

import pytest
from pydantic import ValidationError

from hub.plugin import Exchange, Reject
from plugins.rate_limit import RateLimit
from plugins.rate_limit.config import RateLimitConfig
from tests.unit.plugins.exchanges import received
from tests.unit.plugins.small_hub import SmallHub


def plugin(hub: SmallHub, **keys: Any) -> RateLimit:
    return RateLimit(RateLimitConfig(**keys), hub)


def passing(plugin: RateLimit, exchange: Exchange, *, most: int = 1000) -> int:
    """How many of these pass before one is refused."""
    for count in range(most):
        if plugin.on_received(exchange) is not None:
            return count
    return most


async def test_nothing_is_watched_until_a_figure_is_set() -> None:
    hub = SmallHub()
    assert list(plugin(hub).watches()) == []
    assert list(plugin(hub, burst=5).watches()) == []
    assert plugin(hub).health().text == "No limit is set"

    (watch,) = plugin(hub, modules={"tokens": 5}).watches()
    assert watch.modules == {"tokens"}
    for keys in ({"per_minute": 5, "modules": {"tokens": 5}}, {"platforms": {"alpha": 5}}):
        (watch,) = plugin(hub, **keys).watches()
        assert watch.modules is None


async def test_a_refusal_says_what_to_do() -> None:
    hub = SmallHub()
    limiting = plugin(hub, per_minute=7, burst=1)
    assert limiting.on_received(received()) is None

    refused = limiting.on_received(received())

    assert isinstance(refused, Reject)
    assert (refused.http, refused.status_code, dict(refused.headers)) == (429, 2000, {"Retry-After": "9"})
    assert "More than 7 requests a minute to locations" in refused.message
    assert "wait 9 s" in refused.message
    assert hub.metrics["rejected"].value(module="locations") == 1

    await hub.clock.advance(9)
    assert limiting.on_received(received()) is None


async def test_the_most_specific_figure_holds() -> None:
    hub = SmallHub()
    limiting = plugin(hub, per_minute=60, modules={"tokens": 120}, platforms={"big": 600})

    assert passing(limiting, received("locations")) == 10
    assert passing(limiting, received("tokens")) == 20
    assert passing(limiting, received("tokens", platform="big")) == 100
    assert passing(limiting, received("locations", platform="big")) == 100


async def test_platforms_and_modules_do_not_share() -> None:
    limiting = plugin(SmallHub(), per_minute=60, burst=1)
    assert passing(limiting, received("tokens")) == 1
    assert passing(limiting, received("cdrs")) == 1
    assert passing(limiting, received("tokens", platform="beta")) == 1


async def test_callers_nobody_knows_and_plugins_are_not_counted() -> None:
    limiting = plugin(SmallHub(), per_minute=1, platforms={"plugin-eager": 6})
    assert passing(limiting, received(platform=None)) == 1000
    assert passing(limiting, received(platform="plugin-load_manager")) == 1000
    assert passing(limiting, received(platform="plugin-eager")) == 1


async def test_panel_and_health_name_who_is_limited_now() -> None:
    hub = SmallHub()
    limiting = plugin(hub, per_minute=60, burst=2)
    (panel,) = limiting.panels()
    assert passing(limiting, received("tokens")) == 2
    limiting.on_received(received("cdrs"))

    (row,) = panel.rows()
    assert dict(zip(panel.columns, row, strict=True)) == {
        "platform": "alpha",
        "module": "tokens",
        "per minute": 60,
        "refused so far": 1,
        "next request in s": 1,
    }
    assert dict(limiting.health().facts) == {"limited": 1, "buckets": 2}

    await hub.clock.advance(1)
    assert list(panel.rows()) == []
    assert limiting.health().text == "Nobody is over their limit"


async def test_a_reload_keeps_what_is_used() -> None:
    hub = SmallHub()
    before = plugin(hub, per_minute=60, burst=10)
    for _ in range(5):
        before.on_received(received("tokens"))
    before.on_received(received("cdrs"))

    same = plugin(hub, per_minute=60, burst=10)
    same.import_state(before.export_state())
    assert passing(same, received("tokens")) == 5

    wider = plugin(hub, modules={"tokens": 600}, burst=100)
    wider.import_state(before.export_state())
    assert passing(wider, received("tokens")) == 50
    assert passing(wider, received("cdrs")) == 1000


@pytest.mark.parametrize("keys", [{"per_minute": 0}, {"burst": -1}, {"modules": {"tokens": 0}}, {"per_hour": 5}])
def test_figures_that_mean_nothing_are_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        RateLimitConfig(**keys)
