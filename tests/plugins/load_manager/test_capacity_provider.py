"""A DSO sets limits over OSCP 2.0, falls silent and comes back; another uses the hub's own API."""

from datetime import timedelta
from decimal import Decimal

from hub.ocpi import times
from hub.sandbox.dso import block
from tests.plugins.load_manager.area import area
from tests.plugins.load_manager.dso import says, shake_hands, with_dso


async def test_a_forecast_becomes_amperes_at_the_charge_points() -> None:
    async with area() as a, with_dso(a) as dso:
        await a.sessions(3)
        await says(a, dso, 30)
        assert set(a.told().values()) == {Decimal("14.4")}
        assert await a.state() == "LIMITED"
        await a.wait(5)
        entry = (await a.admin("GET", "/grid/activations"))["items"][0]
        assert (entry["group_id"], entry["sessions_lowered"], entry["confirmed_share"]) == ("G1", 3, 1)


async def test_a_group_put_while_its_dso_is_in_contact_is_in_contact() -> None:
    async with area() as a, with_dso(a) as dso:
        provider = (await a.admin("GET", "/capacity-providers"))["items"][0]["id"]
        await a.group(60, members=[], capacity_provider=provider, status=200)
        await a.admin("DELETE", "/grid/groups/G1", status=204)
        await a.group(60, capacity_provider=provider)
        await a.sessions(2)
        await says(a, dso, 12)
        assert await a.state() == "LIMITED"
        assert a.told() == {"S1": Decimal("8.6"), "S2": Decimal("8.6")}


async def test_a_confirmed_signal_is_no_sign_of_life_of_its_dso() -> None:
    async with area() as a, with_dso(a) as dso:
        await a.sessions(2)
        await says(a, dso, 12, "FALLBACK_CONSUMPTION")
        await says(a, dso, 30)
        asked_at = a.now
        tomorrow = a.now + timedelta(hours=24)
        (answer,) = await dso.forecast("G1", [block(tomorrow, tomorrow + timedelta(hours=1), Decimal("0.5"))])
        assert answer.status == 204
        await a.wait(181)
        assert await a.state() == "FALLBACK"
        await shake_hands(a, dso)

        (waiting,) = (await a.admin("GET", "/grid/signals"))["items"]
        assert waiting["received_at"] == times.render(asked_at)
        await a.admin("POST", f"/grid/signals/{waiting['id']}/confirm", status=204)
        await a.wait(60)
        assert await a.state() == "FALLBACK"
        await says(a, dso, 30)
        assert await a.state() == "LIMITED"


async def test_what_was_given_is_reported_on_a_register() -> None:
    async with area() as a, with_dso(a, measure_s=60) as dso:
        await a.session("S1", "E1", kwh=Decimal("12.4"))
        await a.wait(60)
        await a.session("S1", "E1", kwh=Decimal("13.15"))
        await a.session("S2", "E2", kwh=Decimal("0.35"))
        await a.session("S2", "E2", kwh=Decimal("0.35"), status="COMPLETED")
        dso.received.clear()
        await a.wait(60)
        report = (await dso.wait_for("update_group_measurements")).data
        (measurement,) = report["measurements"]
        assert (measurement["unit"], measurement["energy_type"]) == ("KWH", "FLEXIBLE")
        assert measurement["value"] == Decimal("1.1")


async def test_a_forecast_for_anothers_group_or_none_is_refused() -> None:
    async with area() as a, with_dso(a) as dso:
        await a.group(10, "G2", members=[])
        blocks = [block(a.now, a.now + timedelta(hours=1), 5)]
        assert (await dso.forecast("G9", blocks))[0].status == 404
        assert (await dso.forecast("G2", blocks))[0].status == 403
        twice = [*blocks, *blocks]
        assert (await dso.forecast("G1", twice))[0].status == 400


async def test_a_dso_with_the_hubs_own_api() -> None:
    async with area() as a:
        made = await a.admin("POST", "/capacity-providers", {"name": "Grid", "kind": "native"}, status=201)
        await a.consent()
        await a.location([16, 16])
        await a.group(60, capacity_provider=made["id"])
        await a.sessions(2)
        blocks = [{"start": times.render(a.now), "end": times.render(a.now + timedelta(hours=1)), "value": 20}]
        body = {"group_id": "G1", "kind": "LIMIT", "unit": "KW", "blocks": blocks, "message_id": "M1"}
        said = {"Authorization": f"Token {made['token']}"}
        assert (await a.b.call("POST", "/grid/v1/signals", body, said)).status == 202
        await a.b.settle()
        assert a.told() == {"S1": Decimal("14.4"), "S2": Decimal("14.4")}
        assert (await a.b.call("POST", "/grid/v1/signals", body, said)).status == 204


async def test_without_a_public_url_no_dso_can_register() -> None:
    async with area() as a:
        told = await a.admin("POST", "/capacity-providers", {"name": "Grid One"}, status=409)
        assert "public_url" in told["title"]


async def test_an_operator_asks_for_more_capacity_and_the_answer_is_a_forecast() -> None:
    async with area() as a, with_dso(a) as dso:
        await a.sessions(3)
        await says(a, dso, 24)
        assert set(a.told().values()) == {Decimal("11.5")}
        end = a.now + timedelta(hours=1)
        wanted = {"start": times.render(a.now), "end": times.render(end), "capacity_kw": Decimal(30)}
        path = "/grid/groups/G1/adjust"
        await a.admin("POST", path, {"blocks": [wanted]}, status=202)
        (asked,) = dso.received.of("adjust_group_capacity_forecast")
        (told,) = asked.data["forecasted_blocks"]
        assert (asked.data["group_id"], asked.data["type"]) == ("G1", "CONSUMPTION")
        assert (told["capacity"], told["unit"], times.parse(told["end_time"])) == (Decimal(30), "KW", end)
        await says(a, dso, 30)
        await a.wait(120)
        assert set(a.told().values()) == {Decimal("14.4")}

        dso.faults.on("adjust_group_capacity_forecast").answer(409, b'{"message":"no room"}')
        refused = await a.admin("POST", path, {"blocks": [wanted]}, status=502)
        assert "no room" in refused["title"]
        await a.group(10, "G2", members=[])
        assert "OSCP" in (await a.admin("POST", "/grid/groups/G2/adjust", {"blocks": [wanted]}, status=409))["title"]
        await a.admin("POST", "/grid/groups/G9/adjust", {"blocks": [wanted]}, status=404)
