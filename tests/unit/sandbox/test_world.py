"""The fixture world: who is in it, what each serves, and that all of it can register."""

from hub.ocpi import names
from hub.ocpi.names import Interface, Role
from hub.sandbox import EVERYTHING, SandboxPlatform
from hub.sandbox.world import fixture_world, newcomer, receiving_side

S, R = Interface.SENDER, Interface.RECEIVER


def test_the_parties_and_endpoints_are_those_of_the_world() -> None:
    world = fixture_world()
    hosted = {one.name: [f"{role} {country}/{party}" for role, country, party in one.roles] for one in world}
    assert hosted == {
        "P1": ["CPO NL/CPA", "CPO BE/CPB"],
        "P2": ["EMSP NL/EMA", "EMSP DE/EMB"],
        "P3": ["NSP NL/NSP"],
        "P4": ["CPO FR/DUO", "EMSP FR/DUO"],
        "P5": ["EMSP BE/EMC"],
        "P6": ["SCSP NL/SCS"],
        "P8": ["OTHER SE/OTH"],
        "P10": ["CPO AT/CPX"],
    }
    served = {one.name: {(row.module, row.interface) for row in one.endpoints} for one in world}
    cpo = {
        *((module, S) for module in (names.LOCATIONS, names.SESSIONS, names.CDRS, names.TARIFFS)),
        *((module, R) for module in (names.TOKENS, names.COMMANDS, names.CHARGING_PROFILES, names.HUB_CLIENT_INFO)),
    }
    consumed = (names.LOCATIONS, names.SESSIONS, names.CDRS, names.TARIFFS, names.HUB_CLIENT_INFO)
    emsp = {
        *((module, S) for module in (names.TOKENS, names.COMMANDS, names.CHARGING_PROFILES)),
        *((module, R) for module in consumed),
    }
    assert served == {
        "P1": cpo,
        "P2": emsp,
        "P3": {(names.LOCATIONS, R), (names.TARIFFS, R)},
        "P4": set(EVERYTHING),
        "P5": emsp,
        "P6": {(names.CHARGING_PROFILES, S), (names.SESSIONS, R)},
        "P8": {(names.TOKENS, S), (names.LOCATIONS, R)},
        "P10": cpo,
    }
    assert world["P1"].url(names.TOKENS, R).endswith("/r/tokens/")


def test_peer_hubs_are_there_when_asked_for() -> None:
    world = fixture_world(peers=True)
    assert [one.name for one in world][-2:] == ["P10", "H2"]
    assert [one.name for one in fixture_world(only=["P1", "H2"])] == ["P1", "H2"]
    peer = world["H2"]
    assert peer.roles == [(Role.HUB, "BE", "HB2")]
    assert {(row.module, row.interface) for row in peer.endpoints} == {*EVERYTHING, (names.HUB_CLIENT_INFO, S)}
    (behind,) = peer.own.all(names.HUB_CLIENT_INFO)
    assert (behind["country_code"], behind["party_id"], behind["role"]) == ("ES", "CPS", "CPO")


async def test_all_of_it_registers_with_its_fixed_tokens() -> None:
    hubs: dict[str, SandboxPlatform] = {}

    async def issue_token(platform: SandboxPlatform) -> str:
        """Stands in for a hub: one receiving platform for each of the world's."""
        hub = hubs[platform.name] = SandboxPlatform(f"Hub for {platform.name}", [(Role.HUB, "NL", "HUB")])
        await hub.start()
        return hub.issue_token()

    async with fixture_world(only=["P1", "P10"]) as world:
        try:
            for one in world:
                token_a = await issue_token(one)
                assert (await one.register(hubs[one.name].versions_url, token_a)).ok
            tokens = {name: hub.counterpart.token for name, hub in hubs.items() if hub.counterpart is not None}
            assert tokens == {"P1": "out-P1-91bc", "P10": "out-P10-ba0b"}
            hub_party = world["P1"].counterpart.hub_party if world["P1"].counterpart is not None else None
            assert str(hub_party) == "NL/HUB"
            world.forget_received()
            assert [len(one.received) for one in world] == [0, 0]
        finally:
            for hub in hubs.values():
                await hub.stop()


async def test_register_all_reports_each_by_name() -> None:
    async with SandboxPlatform("Hub", [(Role.HUB, "NL", "HUB")]) as hub, fixture_world(only=["P2", "P3"]) as world:

        async def issue_token(platform: SandboxPlatform) -> str:
            return hub.issue_token() if platform.name == "P3" else "not-issued"

        done = await world.register_all(hub.versions_url, issue_token)
        assert {name: handshake.ok for name, handshake in done.items()} == {"P2": False, "P3": True}
        assert done["P2"].status == 401
        assert list(await world.register_all(hub.versions_url, issue_token, only=["P2"])) == ["P2"]


async def test_the_two_that_register_in_a_test_of_their_own() -> None:
    async with newcomer() as p9, receiving_side() as p11:
        assert (await p9.register(p11.versions_url, "reg-A-P11")).ok
        assert p11.counterpart is not None
        assert p11.counterpart.token == "tok-B-P9"
        assert p9.counterpart is not None
        assert p9.counterpart.token == "tok-C-P11"
