"""What the hub says to a DSO on real sockets: reports, tried again when it may help, let in as the profile says."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from pydantic import SecretStr

from hub.ocpi import times
from hub.sandbox.received import Received
from plugins.load_manager.oscp import (
    Auth,
    CapacityUnit,
    ClientCredentials,
    ForecastedBlock,
    Initiator,
    Metering,
    NotDelivered,
    Phase,
    Profile,
)
from tests.unit.plugins.load_manager.oscp.socket_hub import Site, site
from tests.waiting import until

START = datetime(2026, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
BLOCK = ForecastedBlock(
    capacity=Decimal("1.04"), phase=Phase.ALL, unit=CapacityUnit.KW, start_time=START, end_time=START + QUARTER
)


async def measure(s: Site, power_kw: Decimal | None = None) -> bool:
    """The register of scenario 29."""
    return await s.providers.reports.measured(
        s.id, "G1", energy_kwh=Decimal("1236.500"), since=START, at=START + QUARTER, power_kw=power_kw
    )


async def test_more_capacity_is_asked_for() -> None:
    async with site() as s:
        await s.register()
        await s.providers.reports.adjust(s.id, "G1", [BLOCK])
        (asked,) = s.dso.received.of("adjust_group_capacity_forecast")
        assert (asked.data["group_id"], asked.data["type"]) == ("G1", "CONSUMPTION")
        (block,) = asked.data["forecasted_blocks"]
        assert block.items() >= {"capacity": Decimal("1.04"), "unit": "KW", "phase": "ALL"}.items()
        assert times.parse(block["end_time"]) == START + QUARTER


async def test_a_forecast_that_cannot_be_met_is_named_by_its_request_id() -> None:
    async with site() as s:
        await s.register()
        await s.providers.reports.cannot_comply(s.id, "R7", "1.04 kW too much", [BLOCK])
        await s.providers.reports.cannot_comply(s.id, "R8", "all of it")
        first, second = s.dso.received.of("group_capacity_compliance_error")
        assert (first.correlation_id, second.correlation_id) == ("R7", "R8")
        assert first.data["message"] == "1.04 kW too much"
        assert len(first.data["forecasted_blocks"]) == 1
        assert second.data == {"message": "all of it"}


async def test_measurements_by_group() -> None:
    async with site() as s:
        await s.register()
        assert await measure(s)
        (told,) = s.dso.received.of("update_group_measurements")
        (reading,) = told.data["measurements"]
        assert times.parse(reading.pop("measure_time")) == START + QUARTER
        assert reading == {
            "value": Decimal("1236.500"),
            "phase": "ALL",
            "unit": "KWH",
            "direction": "IMPORT",
            "energy_type": "FLEXIBLE",
        }
        assert b"1236.500" in told.body


async def test_a_dso_that_wants_intermittent_readings_is_told_since_when_they_count() -> None:
    async with site(measurements=["INTERMITTENT"]) as s:
        await s.register()
        await s.shake_hands()
        assert await measure(s)
        (reading,) = s.dso.received.of("update_group_measurements")[0].data["measurements"]
        assert times.parse(reading["initial_measure_time"]) == START


async def test_measurements_of_the_group_as_one_asset() -> None:
    async with site() as s:
        await s.register(Profile(metering=Metering.ASSET_TO_CP))
        assert await measure(s, Decimal("8.0"))
        assert await measure(s)
        first, second = (one.data for one in s.dso.received.of("update_asset_measurements"))
        (asset,) = first["measurements"]
        assert (first["group_id"], asset["asset_id"], asset["asset_category"]) == ("G1", "G1", "CHARGING")
        assert asset["instantaneous_measurement"]["value"] == Decimal("8.0")
        assert "energy_measurement" not in asset
        assert second["measurements"][0]["energy_measurement"]["value"] == Decimal("1236.5")


async def test_a_dso_that_wants_no_measurements() -> None:
    async with site(measurements=[]) as s:
        await s.register()
        await s.shake_hands()
        assert not await measure(s)
    async with site() as s:
        await s.register(Profile(metering=Metering.NONE))
        assert not await measure(s)
        assert s.dso.received.of("update_group_measurements") == []


# ---- tried again


async def test_it_is_tried_again_after_1_5_and_25_seconds_with_the_same_id() -> None:
    async with site() as s:
        await s.register()
        s.dso.faults.on("group_capacity_compliance_error", times=2).answer(503)
        s.dso.faults.on("group_capacity_compliance_error", times=1).hang_up()
        asleep = s.clock.asleep
        sending = asyncio.create_task(s.providers.reports.cannot_comply(s.id, "R7", "too much"))

        def tries() -> list[Received]:
            return s.dso.received.of("group_capacity_compliance_error")

        for wait_s in (1, 5, 25):
            await until(lambda: s.clock.asleep == asleep + 1)
            await s.clock.advance(wait_s)
        await sending
        at = [one.at_s for one in tries()]
        assert [later - earlier for earlier, later in pairwise(at)] == [1, 5, 25]
        assert len({one.request_id for one in tries()}) == 1


async def test_after_the_last_try_it_is_given_up() -> None:
    async with site() as s:
        await s.register()
        s.hub.unreachable = 4
        asleep = s.clock.asleep
        sending = asyncio.create_task(s.providers.reports.adjust(s.id, "G1", [BLOCK]))
        for wait_s in (1, 5, 25):
            await until(lambda: s.clock.asleep == asleep + 1)
            await s.clock.advance(wait_s)
        with pytest.raises(NotDelivered, match="network"):
            await sending
        assert s.hub.unreachable == 0


async def test_a_refusal_is_final() -> None:
    async with site() as s:
        await s.register()
        s.dso.faults.on("adjust_group_capacity_forecast").answer(409, b'{"message":"no room"}')
        with pytest.raises(NotDelivered, match="409: no room") as refused:
            await s.providers.reports.adjust(s.id, "G1", [BLOCK])
        assert refused.value.status == 409
        assert len(s.dso.received.of("adjust_group_capacity_forecast")) == 1


async def test_nothing_goes_to_a_dso_that_is_not_registered() -> None:
    async with site() as s:
        s.id = (await s.providers.create("Grid One")).id
        with pytest.raises(NotDelivered, match="not registered"):
            await s.providers.reports.adjust(s.id, "G1", [BLOCK])


# ---- let in


def by_oauth2(s: Site) -> Profile:
    """A DSO without registration, with an authorization server and headers of its own."""
    client = ClientCredentials(token_url=s.dso.token_url, client_id="hub:1", client_secret=SecretStr("s e/cret"))
    return Profile(
        auth=Auth.OAUTH2,
        registers=False,
        oauth2=client,
        headers={"fp-id": SecretStr("FP1"), "apikey": SecretStr("key-1")},
        metering=Metering.ASSET_TO_CP,
        handshake_from=Initiator.HUB,
    )


async def test_oauth2_without_registration() -> None:
    wanted = {"fp-id": "FP1", "apikey": "key-1"}
    async with site(oauth2=("hub:1", "s e/cret"), access_token_life_s=100, needs_headers=wanted, beats=False) as s:
        server = s.dso.authorization
        assert server is not None
        invitation = await s.providers.connect("Vector", s.dso.base_url, profile=by_oauth2(s))
        s.id, s.dso.link.base_url = invitation.id, invitation.base_url
        s.dso.link.outbound_token = invitation.registration_token
        await until(lambda: s.told.count("online") == 1)

        for _ in range(3):
            assert await measure(s)
        assert server.granted == 1
        await s.clock.jump(71)
        assert await measure(s)
        assert server.granted == 2
        server.revoke()
        assert await measure(s)
        assert server.granted == 3

        kept = str([await s.hub.shelf.load(key) for key in await s.hub.shelf.keys()])
        shown = str(await s.providers.get(s.id))
        for secret in ("s e/cret", "key-1"):
            assert secret not in kept
            assert secret not in shown


async def test_an_authorization_server_that_grants_nothing() -> None:
    async with site(oauth2=("hub:1", "another secret"), beats=False) as s:
        invitation = await s.providers.connect("Vector", s.dso.base_url, profile=by_oauth2(s))
        s.id = invitation.id
        with pytest.raises(NotDelivered, match="authorization server answered 401"):
            await measure(s)


async def test_one_access_token_for_many_at_once() -> None:
    async with site(oauth2=("hub:1", "s e/cret"), beats=False) as s:
        s.id = (await s.providers.connect("Vector", s.dso.base_url, profile=by_oauth2(s))).id
        await asyncio.gather(*(measure(s) for _ in range(10)))
        assert s.dso.authorization is not None
        assert s.dso.authorization.granted == 1


@pytest.mark.parametrize(
    "profile",
    [
        {"auth": "oauth2"},
        {"auth": "headers"},
        {"headers": {"Authorization": "x"}},
        {"headers": {"a b": "x"}},
        {"headers": {"a": "x\ny"}},
        {"acknowledge_path": "ack"},
        {"heartbeat_interval_s": 0},
        {"metring": "none"},
    ],
)
def test_a_profile_that_contradicts_itself(profile: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Profile.model_validate(profile)
