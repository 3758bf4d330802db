"""Cases in which a hub would do harm by looking right: lists that shrink while they are read, hearsay, namesakes, peers
that report too much.
"""

from typing import Any

import pytest

from hub.app import RunningHub
from hub.broker import catalog_lists
from hub.domain.agreements import Agreement, Side
from hub.ocpi import headers, names
from hub.ocpi.names import ConnectionStatus, Interface, Role
from hub.ocpi.party_id import PartyId
from hub.sandbox import objects
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import World
from tests.conformance.asking import follow, get_all, get_one, ids, published
from tests.conformance.speaking import HUB, between, said
from tests.hubs import id_of, invite, meeting, register, role, settled
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER


async def the_rest(world: World, url: str | None) -> list[str]:
    """Everything behind a link."""
    found: list[str] = []
    while url is not None:
        page = await follow(world, url)
        found += ids(page)
        url = page.next_url
    return found


async def test_a_list_that_shrinks_while_it_is_read_is_read_to_its_end(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", *(f"A{number}" for number in range(4)))
    await published(world["P4"], "FR/DUO", *(f"D{number}" for number in range(8)))
    first = await get_all(world, "limit=4")
    assert ids(first) == ["A0", "A1", "A2", "A3"]
    await hub.operations.suspend(id_of(hub, "P1"))
    assert await the_rest(world, first.next_url) == [f"D{number}" for number in range(8)]


async def test_objects_that_leave_the_dates_meanwhile_hide_no_others(hub: RunningHub, world: World) -> None:
    await published(world["P1"], "NL/CPA", *(f"L{number}" for number in range(8)), last_updated="2026-01-01T12:00:00Z")
    first = await get_all(world, "limit=2&date_to=2026-01-02T00:00:00Z")
    await published(world["P1"], "NL/CPA", *(f"L{number}" for number in range(4)), last_updated="2026-02-01T12:00:00Z")
    assert await the_rest(world, first.next_url) == ["L4", "L5", "L6", "L7"]


async def test_a_page_ends_when_it_weighs_enough(
    hub: RunningHub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_lists, "MOST_BYTES", 1000)
    await published(world["P1"], "NL/CPA", *(f"L{number}" for number in range(5)))
    first = await get_all(world)
    assert ids(first) == ["L0"]
    assert first.headers[headers.TOTAL_COUNT] == "5"
    assert await the_rest(world, first.next_url) == ["L1", "L2", "L3", "L4"]


async def test_who_only_looks_at_the_past_or_asks_wrongly_has_not_caught_up(hub: RunningHub, world: World) -> None:
    p3 = id_of(hub, "P3")
    hub.broadcasts._behind.add(p3, PartyId("NL", "NSP"))
    for query in ("limit=0", "date_to=2026-01-01T00:00:00Z"):
        await world["P3"].call("GET", names.LOCATIONS, S, to=HUB, sender="NL/NSP", query=query)
        assert hub.broadcasts.is_behind(p3, PartyId("NL", "NSP"))
    await world["P3"].call("GET", names.LOCATIONS, S, to=HUB, sender="NL/NSP")
    assert not hub.broadcasts.is_behind(p3, PartyId("NL", "NSP"))


async def authorize(platform: SandboxPlatform, uid: str, **changes: Any) -> Any:
    return await platform.call("POST", names.TOKENS, S, f"{uid}/authorize", **({"sender": "NL/CPA"} | changes))


async def test_hearsay_makes_nobodys_own_word_doubtful(hub: RunningHub, world: World) -> None:
    assert (await world["P2"].publish(names.TOKENS, objects.token("NL/EMA", "04AA"))).ok
    world["P5"].own.put(names.TOKENS, objects.token("BE/EMC", "04AA"))
    assert said(await authorize(world["P1"], "04AA", to="BE/EMC")) == (200, 1000)
    assert between(await authorize(world["P1"], "04AA")) == ("NL/CPA", "NL/EMA")


async def test_hearsay_is_better_than_nothing(hub: RunningHub, world: World) -> None:
    world["P5"].own.put(names.TOKENS, objects.token("BE/EMC", "05BB"))
    assert said(await authorize(world["P1"], "05BB", to="BE/EMC")) == (200, 1000)
    assert between(await authorize(world["P1"], "05BB")) == ("NL/CPA", "BE/EMC")


async def test_one_that_is_suspended_makes_no_other_doubtful(hub: RunningHub, world: World) -> None:
    for name, owner in (("P1", "NL/CPA"), ("P4", "FR/DUO")):
        await published(world[name], owner, "LOC1")
    asked = {"to": None, "sender": "NL/EMA"}
    assert said(await get_one(world, "LOC1", **asked)) == (200, 4001)
    await hub.operations.suspend(id_of(hub, "P4"))
    assert between(await get_one(world, "LOC1", **asked)) == ("NL/EMA", "NL/CPA")


async def test_more_namesakes_than_are_looked_at_are_never_guessed_among(hub: RunningHub, world: World) -> None:
    """One of them alone may be reached, but nobody has looked at all of them."""
    roles = [(Role.CPO, "ZZ", f"{number:03d}") for number in range(25)]
    async with SandboxPlatform("Many", roles) as many:
        await register(hub, many)
        for _, country_code, party_id in roles:
            await published(many, f"{country_code}/{party_id}", "1")
        only = Agreement("only", Side("NL", "EMA"), Side("ZZ", "022"), None, allow=True)
        none = Agreement("none", Side("NL", "EMA"), Side("ZZ"), None, allow=False)
        for agreement in (none, only):
            await hub.registry.put_agreement(agreement)
        assert said(await get_one(world, "1", to=None, sender="NL/EMA")) == (200, 4001)
        assert said(await get_one(world, "1", to="ZZ/022", sender="NL/EMA")) == (200, 1000)


async def test_nothing_leads_to_a_party_that_has_gone(hub: RunningHub, world: World) -> None:
    assert (await world["P5"].publish(names.TOKENS, objects.token("BE/EMC", "TTT"))).ok
    await settled(hub)
    await hub.operations.remove(id_of(hub, "P5"))
    async with SandboxPlatform("Newcomer", [(Role.EMSP, "BE", "EMC")]) as newcomer:
        await register(hub, newcomer)
        assert said(await authorize(world["P1"], "TTT")) == (200, 4001)
        assert not newcomer.received.of(names.TOKENS)


async def test_a_party_reserved_here_is_not_believed_behind_a_peer(hub: RunningHub) -> None:
    async with meeting(hub, peers=True) as world:
        await invite(hub, "P12", [role("CPO:NL:NEW")])
        assert (await world["H2"].report("NL/NEW", Role.CPO, ConnectionStatus.CONNECTED)).ok
        poison = objects.location("NL/NEW", "N1") | {"last_updated": "2099-01-01T00:00:00Z"}
        pushed = await world["H2"].call("PUT", names.LOCATIONS, R, "NL/NEW/N1", to=HUB, sender="NL/NEW", body=poison)
        assert said(pushed) == (403, 2001)


async def test_who_registers_here_inherits_nothing_from_a_peer(hub: RunningHub) -> None:
    async with meeting(hub, peers=True) as world:
        poison = objects.location("ES/CPS", "L1") | {"last_updated": "2099-01-01T00:00:00Z"}
        pushed = await world["H2"].call("PUT", names.LOCATIONS, R, "ES/CPS/L1", to=HUB, sender="ES/CPS", body=poison)
        assert said(pushed) == (201, 1000)
        async with SandboxPlatform("Home", [(Role.CPO, "ES", "CPS")]) as home:
            await register(hub, home)
            assert said(await home.publish(names.LOCATIONS, objects.location("ES/CPS", "L1"))) == (201, 1000)
            found = await get_one(world, "L1")
            assert found.data["last_updated"] != poison["last_updated"]


async def test_who_is_suspended_at_its_hub_does_not_speak_here(hub: RunningHub) -> None:
    async with meeting(hub, peers=True) as world:
        await world["H2"].report("ES/CPS", Role.CPO, ConnectionStatus.SUSPENDED)
        await until(lambda: hub.client_info.quiet)
        body = objects.location("ES/CPS", "LX")
        pushed = await world["H2"].call("PUT", names.LOCATIONS, R, "ES/CPS/LX", to="NL/EMA", sender="ES/CPS", body=body)
        assert said(pushed) == (403, 2000)
