"""What the hub counts, read back with the parser of the text's own library."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from hub.app import RunningHub
from hub.metrics import (
    ALARMS,
    CONTENT_TYPE,
    GAUGES,
    IN_FLIGHT,
    LATENCY,
    LATENCY_BUCKETS_S,
    LEG_LATENCY,
    MESSAGES,
    Metrics,
)
from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.sandbox.platform import SandboxPlatform
from tests.hubs import register

S, R = Interface.SENDER, Interface.RECEIVER


def families(metrics: Metrics) -> dict[str, Metric]:
    """Families by name; every name and label must be one the format allows, or the parser raises."""
    return {family.name: family for family in text_string_to_metric_families(metrics.expose().decode())}


def value(metrics: Metrics, sample: str, **labels: str) -> float | None:
    found = [
        one.value
        for family in families(metrics).values()
        for one in family.samples
        if one.name == sample and one.labels == labels
    ]
    assert len(found) <= 1
    return found[0] if found else None


def test_an_unused_hub_exposes_text_that_parses() -> None:
    metrics = Metrics()

    assert CONTENT_TYPE.startswith("text/plain; version=0.0.4")
    assert value(metrics, IN_FLIGHT) == 0
    assert value(metrics, MESSAGES, mode="direct", module="locations", outcome="relayed") is None


def test_messages_are_counted_by_mode_module_and_outcome() -> None:
    metrics = Metrics()
    for _ in range(3):
        metrics.count_message("direct", "locations", "relayed", 0.01, 0.009)
    metrics.count_message("direct", "locations", "F6", 2.0, 2.0)
    metrics.count_message("callback", "commands", "relayed", 0.01, 0.009)
    metrics.count_message("direct", "tokens", "4001", 0.001, None)

    assert value(metrics, MESSAGES, mode="direct", module="locations", outcome="relayed") == 3
    assert value(metrics, MESSAGES, mode="direct", module="locations", outcome="F6") == 1
    assert value(metrics, MESSAGES, mode="callback", module="commands", outcome="relayed") == 1
    assert value(metrics, MESSAGES, mode="direct", module="tokens", outcome="4001") == 1
    assert families(metrics)[MESSAGES.removesuffix("_total")].type == "counter"


def test_durations_fall_into_cumulative_buckets_bounds_included() -> None:
    metrics = Metrics()
    seconds = [0.0, 0.001, 0.0011, 0.05, 25.0, 25.1, 1000.0]
    for duration in seconds:
        metrics.count_message("direct", "locations", "relayed", duration, None)

    for bound in LATENCY_BUCKETS_S:
        expected = sum(duration <= bound for duration in seconds)
        assert value(metrics, f"{LATENCY}_bucket", mode="direct", le=str(bound)) == expected
    assert value(metrics, f"{LATENCY}_bucket", mode="direct", le="+Inf") == len(seconds)
    assert value(metrics, f"{LATENCY}_count", mode="direct") == len(seconds)
    assert value(metrics, f"{LATENCY}_sum", mode="direct") == pytest.approx(sum(seconds))
    assert families(metrics)[LATENCY].type == "histogram"


def test_what_never_left_the_hub_has_no_leg() -> None:
    metrics = Metrics()
    metrics.count_message("direct", "locations", "4001", 0.001, None)
    assert value(metrics, f"{LEG_LATENCY}_count", mode="direct") is None

    metrics.count_message("direct", "locations", "relayed", 0.01, 0.009)
    assert value(metrics, f"{LEG_LATENCY}_count", mode="direct") == 1
    assert value(metrics, f"{LATENCY}_count", mode="direct") == 2


def test_alarms_are_counted_by_kind() -> None:
    metrics = Metrics()
    metrics.count_alarm("token_refused")
    metrics.count_alarm("token_refused")

    assert value(metrics, ALARMS, kind="token_refused") == 2


def test_gauges_are_read_at_each_scrape() -> None:
    metrics = Metrics()
    statuses: dict[str, float] = {"CONNECTED": 2.0}
    metrics.gauge("ocpi_hub_platforms", lambda: statuses)
    metrics.gauge("ocpi_hub_store_available", lambda: 1.0)
    metrics.in_flight = 7

    assert value(metrics, "ocpi_hub_platforms", status="CONNECTED") == 2
    assert value(metrics, "ocpi_hub_store_available") == 1
    assert value(metrics, IN_FLIGHT) == 7
    statuses["OFFLINE"] = 1.0
    assert value(metrics, "ocpi_hub_platforms", status="OFFLINE") == 1
    assert set(families(metrics)) >= {"ocpi_hub_platforms", "ocpi_hub_store_available", IN_FLIGHT}
    assert all(families(metrics)[name].documentation == GAUGES[name] for name in ("ocpi_hub_platforms", IN_FLIGHT))


@pytest.mark.parametrize("module", ['x"y', "x\ny", "x\\", "充電", "x,y={z}"])
def test_any_label_is_escaped(module: str) -> None:
    """A custom module's id is what a platform says it is."""
    metrics = Metrics()
    metrics.count_message("direct", module, "relayed", 0.01, None)

    assert value(metrics, MESSAGES, mode="direct", module=module, outcome="relayed") == 1


def modules_counted(hub: RunningHub) -> Iterator[str]:
    for sample in families(hub.metrics)[MESSAGES.removesuffix("_total")].samples:
        yield sample.labels["module"]


async def test_names_platforms_make_up_never_become_labels(hub: RunningHub, tmp_path: Path) -> None:
    """Labels stay for ever, so nobody may make up as many as he likes, by asking or by advertising: all custom modules
    are one label.
    """
    own = [("nlxyz-own", R)]
    async with (
        SandboxPlatform("A", [(Role.CPO, "NL", "AAA")], modules=[(names.LOCATIONS, S), *own]) as a,
        SandboxPlatform("B", [(Role.EMSP, "NL", "BBB")], modules=[(names.LOCATIONS, R), *own]) as b,
    ):
        for platform in (a, b):
            await register(hub, platform)
        base = hub.identity.module_url("2.2.1", "nlxyz-own", R)
        for path in ("made-up-1", "made-up-2/x", "nlxyz-OWN", "nlxyz-own2", "%6Elxyz-own", "credentials", "versions"):
            url = f"{base.removesuffix('nlxyz-own')}{path}"
            answer = await b.call("GET", "", None, url=url, to="NL/AAA", sender="NL/BBB")
            assert answer.status == 404, path
        # The other interface of an advertised module is not advertised by anybody.
        other = hub.identity.module_url("2.2.1", "nlxyz-own", S)
        assert (await b.call("GET", "", None, url=other, to="NL/AAA", sender="NL/BBB")).status == 404
        for to in ("NL/AAA", "XX/ZZZ"):
            assert (await b.call("GET", "", None, url=f"{base}/1", to=to, sender="NL/BBB")).status < 500
        assert (await b.call("GET", names.LOCATIONS, S, "LOC1", to="NL/AAA", sender="NL/BBB")).status < 500

    assert set(modules_counted(hub)) == {"custom", names.LOCATIONS}
