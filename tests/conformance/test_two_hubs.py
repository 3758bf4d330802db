"""R-191, R-204 to R-209, RT6, T-26 and ruling 24 with two hubs of ours: S-071 as it is between real hubs."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.broker.operations import Invited
from hub.broker.refusal import Refusal
from hub.domain.agreements import Agreement, Side
from hub.domain.platform import Platform
from hub.ocpi import headers, names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.sandbox import EVERYTHING, Reply, SandboxPlatform, objects
from hub.sandbox.answer import Answer
from hub.sandbox.received import Received
from tests.conformance.speaking import as_written, between, legs, route, said
from tests.conformance.two_hubs import INFO, ONE, TWO, Hubs, a_hub, as_hub, known, listed, peer, told, two_hubs
from tests.hubs import id_of, register, settled
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER


@pytest.fixture
async def hubs(tmp_path: Path) -> AsyncIterator[Hubs]:
    async with two_hubs(tmp_path) as both:
        yield both


async def get_location(
    platform: SandboxPlatform, to: str, sender: str, location_id: str = "L1", **changes: Any
) -> Answer:
    return await platform.call("GET", names.LOCATIONS, S, location_id, to=to, sender=sender, **changes)


# --- client info ---


async def test_everybody_knows_of_everybody(hubs: Hubs) -> None:
    assert await listed(hubs["P2"]) == {
        "CPO NL/CPA": "CONNECTED",
        "CPO BE/CPB": "CONNECTED",
        "HUB BE/HB2": "CONNECTED",
        "CPO FR/DUO": "CONNECTED",
        "EMSP FR/DUO": "CONNECTED",
        "EMSP BE/EMC": "CONNECTED",
    }
    assert {"HUB NL/HB1", "CPO NL/CPA", "EMSP NL/EMA", "CPO FR/DUO"} <= (await listed(hubs["P5"])).keys()


async def test_what_happens_at_one_hub_is_told_at_the_other(hubs: Hubs) -> None:
    async with SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")]) as platform:
        await register(hubs.two, platform)
        await until(lambda: told(hubs["P2"], "IT/EMN") == ["CONNECTED"])
        await hubs.two.operations.suspend(id_of(hubs.two, "P9"))
        await until(lambda: told(hubs["P2"], "IT/EMN") == ["CONNECTED", "SUSPENDED"])
        await hubs.two.operations.resume(id_of(hubs.two, "P9"))
        await until(lambda: told(hubs["P2"], "IT/EMN")[2:] == ["CONNECTED"])
        await hubs.two.operations.remove(id_of(hubs.two, "P9"))
        await until(lambda: told(hubs["P2"], "IT/EMN")[3:] == ["SUSPENDED"])
    push = hubs["P2"].received.of(INFO, R, "PUT", "IT/EMN")[0]
    assert set(push.data) == {"party_id", "country_code", "role", "status", "last_updated"}
    assert not [name for name in push.headers if name.lower().startswith("ocpi-")]
    assert said(await get_location(hubs["P2"], "IT/EMN", "NL/EMA")) in ((200, 4001), (200, 4003))


async def test_no_hub_is_told_what_it_told(hubs: Hubs) -> None:
    answer = await as_hub(hubs.two, hubs.one, hubs["P5"], "GET", "sender/hubclientinfo?limit=100")
    rows = {f"{row['role']} {row['country_code']}/{row['party_id']}" for row in answer.data}
    assert rows == {"CPO NL/CPA", "CPO BE/CPB", "EMSP NL/EMA", "EMSP DE/EMB"}


async def test_each_hub_may_report_to_the_other_and_nobody_else_may(hubs: Hubs) -> None:
    for hub, at, name in ((hubs.two, hubs.one, "P2"), (hubs.one, hubs.two, "P5")):
        details = await as_hub(hub, at, hubs[name], "GET", "")
        rows = [(row["identifier"], row["role"]) for row in details.data["endpoints"]]
        assert rows.count((INFO, "RECEIVER")) == 1
        assert rows.count((INFO, "SENDER")) == 1
        own = await hubs[name].call("GET", "", None, url=f"{at.settings.public_url}/ocpi/2.2.1")
        rows.remove((INFO, "RECEIVER"))
        assert [(row["identifier"], row["role"]) for row in own.data["endpoints"]] == rows
        url = f"{at.settings.public_url}/ocpi/2.2.1/receiver/hubclientinfo/ES/NEW"
        refused = await hubs[name].call("PUT", "", None, url=url, body=objects.client_info("ES/NEW"))
        assert said(refused) == (404, 2000)


async def test_a_local_party_wins_and_keeps_its_place_until_it_leaves(hubs: Hubs) -> None:
    p1, p2 = hubs["P1"], hubs["P2"]
    async with (
        SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")]) as there,
        SandboxPlatform("P9", [(Role.EMSP, "IT", "EMN")]) as here,
    ):
        await register(hubs.two, there)
        await until(lambda: "EMSP IT/EMN" in known(hubs.one, "two"))
        session = objects.session("NL/CPA", "S1", driver="IT/EMN")
        assert (await p1.publish(names.SESSIONS, session, to="IT/EMN")).status == 201
        assert (len(there.received.of(names.SESSIONS)), len(here.received.of(names.SESSIONS))) == (1, 0)
        await register(hubs.one, here)  # what a peer reports is nobody's claim
        assert (await p1.publish(names.SESSIONS, session, to="IT/EMN")).status == 201
        assert (len(there.received.of(names.SESSIONS)), len(here.received.of(names.SESSIONS))) == (1, 1)
        await settled(hubs.one)
        assert told(p2, "IT/EMN") == ["CONNECTED"]  # nothing has changed for the others
        assert (await listed(p2))["EMSP IT/EMN"] == "CONNECTED"
        await hubs.one.operations.remove(id_of(hubs.one, "P9"))
        await hubs.settle()
        assert (await p1.publish(names.SESSIONS, session, to="IT/EMN")).ok
        assert (len(there.received.of(names.SESSIONS)), len(here.received.of(names.SESSIONS))) == (2, 1)
        assert told(p2, "IT/EMN")[-1] == "CONNECTED"


async def test_closed_hubs_tell_each_other_what_was_agreed(tmp_path: Path) -> None:
    def side(text: str) -> Side:
        country_code, party_id = text.split("/")
        return Side(country_code, party_id)

    def agreed(name: str, one: str, other: str) -> Agreement:
        return Agreement(name, side(one), side(other), None, allow=True)

    async with two_hubs(tmp_path, settle=False, agreements_default="closed") as hubs:
        assert (known(hubs.one, "two"), known(hubs.two, "one")) == ({}, {})
        for hub in (hubs.one, hubs.two):
            await hub.registry.put_agreement(agreed("direct", "NL/EMA", "FR/DUO"))
        await settled(hubs.one)
        assert known(hubs.two, "one") == {}
        # Each waits for the other to begin; one may.
        await hubs.one.registry.put_agreement(agreed("peer", "NL/EMA", TWO))
        await until(lambda: list(known(hubs.two, "one")) == ["EMSP NL/EMA"])
        await until(lambda: set(known(hubs.one, "two")) == {"CPO FR/DUO", "EMSP FR/DUO"})
        await until(lambda: told(hubs["P2"], "FR/DUO") == ["CONNECTED", "CONNECTED"])
        await until(lambda: told(hubs["P4"], "NL/EMA") == ["CONNECTED"])
        hubs["P4"].own.put(names.LOCATIONS, objects.location("FR/DUO", "L1"))
        assert said(await get_location(hubs["P2"], "FR/DUO", "NL/EMA")) == (200, 1000)
        assert said(await get_location(hubs["P2"], "FR/DUO", "DE/EMB")) == (200, 4001)


# --- direct requests ---


async def test_rt6_a_request_through_two_hubs(hubs: Hubs) -> None:
    p2, p4 = hubs["P2"], hubs["P4"]
    p4.own.put(names.LOCATIONS, objects.location("FR/DUO", "L1"))
    answer = await get_location(p2, "FR/DUO", "NL/EMA", headers={headers.CORRELATION_ID: "cor-1"})
    assert (said(answer), answer.data["id"]) == ((200, 1000), "L1")
    assert between(answer) == ("NL/EMA", "FR/DUO")
    (leg,) = p4.received.of(names.LOCATIONS)
    assert route(leg) == ("FR/DUO", "NL/EMA")
    assert leg.correlation_id == answer.headers[headers.CORRELATION_ID] == "cor-1"
    assert leg.request_id
    assert leg.request_id != answer.headers[headers.REQUEST_ID]


async def test_rt6_a_push_keeps_its_bytes(hubs: Hubs) -> None:
    body = as_written(objects.session("FR/DUO", "S1", driver="NL/EMA"))
    answer = await hubs["P4"].call("PUT", names.SESSIONS, R, "FR/DUO/S1", to="NL/EMA", sender="FR/DUO", body=body)
    assert (said(answer), between(answer)) == ((201, 1000), ("FR/DUO", "NL/EMA"))
    (leg,) = hubs["P2"].received.of(names.SESSIONS)
    assert (leg.body, route(leg), leg.tail) == (body, ("NL/EMA", "FR/DUO"), "FR/DUO/S1")


async def test_hub_errors_of_the_other_hub_are_relayed(hubs: Hubs) -> None:
    forbidden = Agreement("a", Side("NL", "EMA"), Side("FR", "DUO"), frozenset({names.LOCATIONS}), allow=False)
    await hubs.two.registry.put_agreement(forbidden)
    answer = await get_location(hubs["P2"], "FR/DUO", "NL/EMA")
    assert said(answer) == (200, 4001)
    # Hub one knows of nothing that forbids it: these are the words of hub two.
    asked = await as_hub(hubs.one, hubs.two, hubs["P2"], "GET", "sender/locations/L1", to="FR/DUO", sender="NL/EMA")
    assert answer.status_message == asked.status_message
    assert between(answer) == ("NL/EMA", "FR/DUO")
    hubs["P4"].faults.on(names.LOCATIONS, S).answer(503)
    answer = await get_location(hubs["P2"], "FR/DUO", "DE/EMB")
    assert (said(answer), legs(hubs.east)) == ((200, 4003), {"P4": ["FR/DUO"]})


async def test_what_is_behind_a_hub_is_not_sent_back_to_it(hubs: Hubs) -> None:
    answer = await as_hub(hubs.two, hubs.one, hubs["P5"], "GET", "sender/locations/L1", to="FR/DUO", sender="BE/EMC")
    assert said(answer) == (200, 4000)
    spoofed = await as_hub(hubs.two, hubs.one, hubs["P5"], "GET", "sender/locations/L1", to="NL/CPA", sender="NL/EMA")
    assert said(spoofed) == (403, 2001)
    assert (legs(hubs.west), legs(hubs.east)) == ({}, {})


async def test_a_message_that_comes_round_again_is_refused(hubs: Hubs) -> None:
    round_again: list[Answer] = []
    modules = [*EVERYTHING, (INFO, S)]
    async with SandboxPlatform("H3", [(Role.HUB, "PT", "HB3")], modules=modules) as third:
        third.reporting.note("ES/FAR")
        third.reporting.note("BE/EMC", Role.EMSP)  # it claims to lead to a party of hub two as well
        await register(hubs.one, third)
        await until(lambda: len(peer(hubs.one, "H3").reported) == 2)
        # Hub one tells hub two nothing of it, so hub two is told by hand.
        far = objects.client_info("ES/FAR")
        put = await as_hub(hubs.one, hubs.two, hubs["P2"], "PUT", "receiver/hubclientinfo/ES/FAR", body=far)
        assert said(put) == (201, 1000)

        async def by_way_of_hub_one(received: Received) -> Reply:
            same = {headers.CORRELATION_ID: received.correlation_id}
            round_again.append(await get_location(third, "ES/FAR", "BE/EMC", headers=same))
            return Reply(round_again[0].status, round_again[0].body)

        third.serve(names.LOCATIONS, S, by_way_of_hub_one)
        answer = await get_location(hubs["P5"], "ES/FAR", "BE/EMC", headers={headers.CORRELATION_ID: "cor-1"})
        assert [said(one) for one in round_again] == [(200, 4000)]
        assert (said(answer), answer.body) == ((200, 4000), round_again[0].body)
        assert len(third.received.of(names.LOCATIONS)) == 1


# --- what leads back through both ---


async def test_results_come_home_through_both_hubs(hubs: Hubs) -> None:
    p2, p4 = hubs["P2"], hubs["P4"]
    body = objects.unlock_connector(p2.callback_url("x"))
    answer = await p2.call("POST", names.COMMANDS, R, "UNLOCK_CONNECTOR", to="FR/DUO", sender="NL/EMA", body=body)
    assert (answer.data["result"], between(answer)) == ("ACCEPTED", ("NL/EMA", "FR/DUO"))
    leg = p4.received.of(names.COMMANDS)[0]
    assert (leg.response_url or "").startswith(f"{hubs.two.settings.public_url}/ocpi/2.2.1/sender/commands/")
    home = await p2.wait_for("callback")
    assert (home.target, home.data["result"], route(home)) == ("/cb/x", "ACCEPTED", ("NL/EMA", "FR/DUO"))
    taken = await p4.results.wait_sent()
    assert (said(taken), between(taken)) == ((200, 1000), ("FR/DUO", "NL/EMA"))


async def test_a_charging_profile_is_asked_for_through_both_hubs(hubs: Hubs) -> None:
    p2 = hubs["P2"]
    query = f"duration=900&response_url={p2.callback_url('profile')}"
    answer = await p2.call("GET", names.CHARGING_PROFILES, R, "S1", to="FR/DUO", sender="NL/EMA", query=query)
    assert answer.data["result"] == "ACCEPTED"
    (leg,) = hubs["P4"].received.of(names.CHARGING_PROFILES)
    assert hubs.two.settings.public_url in (leg.response_url or "")
    assert "duration=900" in leg.query
    home = await p2.wait_for("callback")
    assert (home.target, route(home)) == ("/cb/profile", ("NL/EMA", "FR/DUO"))


async def test_pages_and_cdrs_are_read_through_both_hubs(hubs: Hubs) -> None:
    p2, p4 = hubs["P2"], hubs["P4"]
    p4.habits.page_limit = 1
    for number in range(3):
        p4.own.put(names.LOCATIONS, objects.location("FR/DUO", f"L{number}"))
    crawl = await p2.crawl(names.LOCATIONS, to="FR/DUO", sender="NL/EMA")
    assert crawl.complete
    assert [one["id"] for one in crawl.objects] == ["L0", "L1", "L2"]
    assert all((page.next_url or hubs.one.url).startswith(hubs.one.settings.public_url) for page in crawl.pages)
    posted = await p4.call(
        "POST", names.CDRS, R, to="NL/EMA", sender="FR/DUO", body=objects.cdr("FR/DUO", "C1", driver="NL/EMA")
    )
    assert posted.status == 201
    assert posted.headers[headers.LOCATION].startswith(hubs.two.settings.public_url)
    read = await p4.call("GET", "", None, url=posted.headers[headers.LOCATION], sender="FR/DUO")
    assert (read.data["id"], between(read)) == ("C1", ("FR/DUO", "NL/EMA"))


# --- broadcasts ---


async def test_a_broadcast_stays_at_its_hub(hubs: Hubs) -> None:
    assert (await hubs["P1"].publish(names.LOCATIONS, objects.location("NL/CPA", "L1"))).status == 201
    await settled(hubs.one)
    assert (legs(hubs.west), legs(hubs.east)) == ({"P2": ["DE/EMB", "NL/EMA"]}, {})


async def test_a_broadcast_may_cross_as_one_push_for_each_party(tmp_path: Path) -> None:
    async with two_hubs(tmp_path, broadcast_across_hubs=True) as hubs:
        body = as_written(objects.location("NL/CPA", "L1"))
        answer = await hubs["P1"].call("PUT", names.LOCATIONS, R, "NL/CPA/L1", to=ONE, sender="NL/CPA", body=body)
        assert (said(answer), between(answer)) == ((201, 1000), ("NL/CPA", ONE))
        await hubs.settle()
        assert legs(hubs.west) == {"P2": ["DE/EMB", "NL/EMA"]}
        assert legs(hubs.east) == {"P4": ["FR/DUO"], "P5": ["BE/EMC"]}
        for name in ("P4", "P5"):
            (leg,) = hubs[name].received.of(names.LOCATIONS)
            assert (str(leg.sender), leg.tail, leg.body) == (ONE, "NL/CPA/L1", body)


async def test_t_26_a_push_of_the_other_hub_to_ours_is_kept_and_goes_no_further(tmp_path: Path) -> None:
    async with two_hubs(tmp_path, broadcast_across_hubs=True) as hubs:
        location = objects.location("FR/DUO", "L1")
        for sender in (TWO, "FR/DUO"):
            answer = await as_hub(
                hubs.two,
                hubs.one,
                hubs["P5"],
                "PUT",
                "receiver/locations/FR/DUO/L1",
                to=ONE,
                sender=sender,
                body=location,
            )
            assert (answer.ok, between(answer)) == (True, (sender, ONE)), answer
        await hubs.settle()
        assert (legs(hubs.west), legs(hubs.east)) == ({}, {})
        found = await hubs["P2"].call("GET", names.LOCATIONS, S, to=ONE, sender="NL/EMA")
        assert found.data == [location]


# --- trouble between hubs ---


async def test_while_the_other_hub_is_away_so_are_its_parties(tmp_path: Path) -> None:
    async with two_hubs(tmp_path, probe_spacing=0.01) as hubs:
        p2, two = hubs["P2"], id_of(hubs.one, "two")

        def fewer(stored: Platform) -> Platform:
            """As if hub two could not have told of BE/EMC."""
            kept = tuple(one for one in stored.reported if one.party_id != "EMC")
            return stored.changed(stored.updated_at, reported=kept)

        def fails() -> bool:
            hubs.one.liveness.failed(two)
            return two in hubs.one.liveness.offline

        await hubs.one.registry.change(two, fewer)
        await until(fails)
        await until(lambda: told(p2, "FR/DUO") == ["OFFLINE", "OFFLINE"])
        await settled(hubs.one)
        assert (told(p2, "BE/HB2"), told(p2, "BE/EMC")) == (["OFFLINE"], ["SUSPENDED"])
        assert (await listed(p2))["CPO FR/DUO"] == "OFFLINE"
        assert said(await get_location(p2, "FR/DUO", "NL/EMA")) == (200, 4003)
        assert legs(hubs.east) == {}
        # A message of the other hub ends it; what was missed is read in its list.
        await get_location(hubs["P4"], "NL/CPA", "FR/DUO")
        assert legs(hubs.west) == {"P1": ["NL/CPA"]}
        await hubs.settle()
        assert (told(p2, "BE/HB2"), told(p2, "BE/EMC")) == (["OFFLINE", "CONNECTED"], ["SUSPENDED", "CONNECTED"])
        assert told(p2, "FR/DUO")[2:] == ["CONNECTED", "CONNECTED"]
        hubs["P4"].own.put(names.LOCATIONS, objects.location("FR/DUO", "L1"))
        assert said(await get_location(p2, "FR/DUO", "NL/EMA")) == (200, 1000)


async def test_a_hub_that_leaves_takes_its_parties_along_and_brings_them_back(hubs: Hubs) -> None:
    p2 = hubs["P2"]
    await hubs.one.operations.remove(id_of(hubs.one, "two"))
    await until(lambda: told(p2, "BE/EMC") == ["SUSPENDED"])
    await settled(hubs.one)
    assert said(await get_location(p2, "FR/DUO", "NL/EMA")) == (200, 4001)
    # It was told, so it knows as well: hub one is over there.
    await until(lambda: told(hubs["P5"], "NL/CPA") == ["SUSPENDED"])
    invited = await hubs.two.operations.reinvite(id_of(hubs.two, "one"))
    again = await hubs.one.operations.invite("two")
    assert isinstance(invited, Invited)
    assert isinstance(again, Invited)
    joined = await hubs.one.operations.connect(
        again.platform.id, hubs.two.identity.versions_url, invited.registration_token
    )
    assert isinstance(joined, Platform)
    await hubs.settle()
    assert told(p2, "BE/EMC")[-1] == "CONNECTED"
    assert told(hubs["P5"], "NL/CPA")[-1] == "CONNECTED"


async def test_a_hub_with_our_own_party_is_refused_from_either_side(tmp_path: Path) -> None:
    async with a_hub(tmp_path / "hub", ONE) as one, a_hub(tmp_path / "twin", ONE.lower()) as twin:
        invited = await one.operations.invite("twin")
        known_there = await twin.operations.invite("twin")
        assert isinstance(invited, Invited)
        assert isinstance(known_there, Invited)
        joined = await twin.operations.connect(
            known_there.platform.id, one.identity.versions_url, invited.registration_token
        )
        assert isinstance(joined, Refusal)
        for hub in (one, twin):
            assert (peer(hub, "twin").status, peer(hub, "twin").roles) == (ConnectionStatus.PLANNED, ())
        assert [alarm.kind for alarm in one.alarms.newest_first] == ["role_conflict"]
