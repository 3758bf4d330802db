"""What hostile eyes found: verdicts that cannot be carried out, plugins that exit, sends that are given up, parties
that change hands.
"""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.app import RunningHub
from hub.errors import SettingsError
from hub.ocpi import codec, names
from hub.ocpi.names import Interface, Role
from hub.ocpi.party_id import PartyId
from hub.plugin import Answer, Change, LocalParty, Narrow, NotAllowed, Phase, Reject, Reroute, Skip, Take
from hub.plugin.inspecting import problems_of_parties
from hub.plugin.standing import MOST_FAILURES
from hub.sandbox.world import World
from tests.plugins import nasty
from tests.plugins.hosting import hosting, incarnation, put_session, running
from tests.plugins.unruly import Behaves
from tests.waiting import until

R = Interface.RECEIVER
_CYCLE: list[Any] = []
_CYCLE.append(_CYCLE)
NASTY: list[tuple[Phase, Any]] = [
    *((phase, nasty.Odd()) for phase in (Phase.RECEIVED, Phase.ROUTED, Phase.FORWARDING, Phase.ANSWERED)),
    (Phase.RECEIVED, Answer(headers=None)),  # type: ignore[arg-type]
    (Phase.RECEIVED, Answer(body="text")),  # type: ignore[arg-type]
    (Phase.RECEIVED, Answer(http=204)),
    (Phase.RECEIVED, Reject(message="\ud800")),
    (Phase.ROUTED, Answer(data=_CYCLE)),
    (Phase.ROUTED, Answer(data=float("nan"))),
    (Phase.ROUTED, Narrow(None)),  # type: ignore[arg-type]
    (Phase.ROUTED, Narrow(["NL/EMA"])),  # type: ignore[list-item]
    (Phase.ROUTED, Reroute(None)),  # type: ignore[arg-type]
    (Phase.ROUTED, Take(Answer(), handle="../x")),
    (Phase.FORWARDING, Change(object())),
    (Phase.FORWARDING, Change({"limit": float("nan")})),
    (Phase.FORWARDING, Change({"a": 10**5000})),
    (Phase.FORWARDING, Change(_CYCLE)),
    (Phase.FORWARDING, Skip("\ud800")),
    (Phase.ANSWERED, Change(b"no envelope")),
    (Phase.ANSWERED, Reject(headers=[])),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("on_error", ["continue", "reject"])
async def test_a_verdict_that_cannot_be_carried_out_is_the_plugins_failure(tmp_path: Path, on_error: str) -> None:
    async with hosting(tmp_path, nasty.Says, config={"says": {"on_error": on_error}}) as (hub, world):
        says, standing = running(hub, nasty.Says), incarnation(hub, nasty.Says).guard.standing
        for phase, said in NASTY:
            says.saying = {phase: said}
            answer = await put_session(world)
            assert answer.status_code == (4000 if on_error == "reject" else 1000), (phase, said)
            assert standing.timing(f"on_{phase.value}").in_a_row == 1, (phase, said)
            says.saying = {}
            assert (await put_session(world)).status_code == 1000
        assert standing.trips == 0


async def test_a_hook_that_always_fails_trips_whatever_its_others_do(tmp_path: Path) -> None:
    async with hosting(tmp_path, nasty.Says) as (hub, world):
        says = running(hub, nasty.Says)
        says.saying = {Phase.FORWARDING: ValueError("again")}
        for _ in range(MOST_FAILURES):
            await put_session(world)
        assert incarnation(hub, nasty.Says).guard.tripped


async def profile(world: World, to: str | None) -> Any:
    """P2, as NL/EMA, sends a charging profile for a session; open routing knows whose it is."""
    body = nasty.PROFILE | {"response_url": world["P2"].callback_url("p1")}
    return await world["P2"].call("PUT", names.CHARGING_PROFILES, R, "S1", to=to, sender="NL/EMA", body=body)


async def test_what_open_routing_finds_can_be_taken_too(tmp_path: Path) -> None:
    async with hosting(tmp_path, nasty.Takes) as (hub, world):
        await put_session(world)
        await until(lambda: hub.known.quiet)
        for _ in range(MOST_FAILURES + 1):
            assert (await profile(world, None)).data == {"result": "ACCEPTED", "timeout": 30}
        assert not world["P1"].received.of(names.CHARGING_PROFILES, R, "PUT")
        assert incarnation(hub, nasty.Takes).guard.standing.failures == 0


async def test_a_handle_is_used_once(tmp_path: Path) -> None:
    async with hosting(tmp_path, nasty.Says) as (hub, world):
        running(hub, nasty.Says).saying = {Phase.ROUTED: Take(Answer(), handle="same")}
        assert (await profile(world, "NL/CPA")).status_code == 1000
        assert (await profile(world, "NL/CPA")).status_code == 4000


async def test_a_send_that_is_given_up_holds_nobody_back(tmp_path: Path) -> None:
    config = {"sends": {"hook_timeout": 0.5}}  # also on a busy machine enough for those that are answered
    async with hosting(tmp_path, nasty.Sends, nasty.Sees, config=config) as (hub, world):
        fault = world["P1"].faults.on(names.CHARGING_PROFILES).hang()
        assert (await put_session(world)).status_code == 1000
        fault.release()
        for _ in range(3):
            assert (await put_session(world)).status_code == 1000
        sees = running(hub, nasty.Sees)
        await until(lambda: len(sees.outcomes) == 4)
        assert sees.outcomes == ["given_up", *["relayed"] * 3]
        assert hub.plugins.inboxes["sees"].waiting == 0


async def test_plugins_that_send_because_of_each_other_come_to_an_end(tmp_path: Path) -> None:
    async with hosting(tmp_path, nasty.Echoes, nasty.Answers) as (hub, world):
        await world["P2"].call("GET", names.LOCATIONS, Interface.SENDER, "L1", to="NL/CPA", sender="NL/EMA")
        await until(lambda: running(hub, nasty.Answers).sent > 0)
        await until(lambda: all(inbox.waiting == 0 for inbox in hub.plugins.inboxes.values()))
        sent = running(hub, nasty.Echoes).sent + running(hub, nasty.Answers).sent
        await asyncio.sleep(0.05)
        assert running(hub, nasty.Echoes).sent + running(hub, nasty.Answers).sent == sent < 40


async def set_parties(hub: RunningHub, left: dict[str, Any], right: dict[str, Any]) -> None:
    choices = hub.plugins.choices.with_config("left", left).with_config("right", right)
    await hub.plugins.choose(choices)


async def who_answers(world: World, party: str) -> Any:
    answer = await put_session(world, to=f"NL/{party}")
    return answer.data["by"] if answer.status_code == 1000 else answer.status_code


@pytest.mark.parametrize(("first", "second"), [("left", "right"), ("right", "left")])
async def test_a_party_goes_from_one_plugin_to_another(tmp_path: Path, first: str, second: str) -> None:
    async with hosting(tmp_path, nasty.Left, nasty.Right, config={first: {"parties": ["ABC"]}}) as (hub, world):
        assert await who_answers(world, "ABC") == first
        await set_parties(hub, **{first: {}, second: {"parties": ["ABC"]}})
        assert await who_answers(world, "ABC") == second


async def test_a_change_that_fails_leaves_every_party_where_it_was(tmp_path: Path) -> None:
    config = {"left": {"parties": ["ABC"]}, "right": {"parties": ["DEF"]}}
    async with hosting(tmp_path, nasty.Left, nasty.Right, config=config) as (hub, world):
        with pytest.raises(SettingsError):
            await set_parties(hub, left={}, right={"parties": ["ABC", "NEW"], "fails": True})
        with pytest.raises(SettingsError, match="the hub's own party"):
            await set_parties(hub, left={"parties": ["ABC"]}, right={"parties": ["HUB"]})
        assert [await who_answers(world, party) for party in ("ABC", "DEF", "NEW")] == ["left", "right", 4001]
        assert hub.plugins.choices.config == {}


async def test_operators_leave_a_plugins_platform_to_the_plugin(tmp_path: Path) -> None:
    async with hosting(tmp_path, nasty.Left, config={"left": {"parties": ["ABC"]}}) as (hub, world):
        operations, ours = hub.operations, "plugin-left"
        p1 = next(one.id for one in hub.registry.snapshot.platforms if one.name == "P1")
        done = [
            await operations.reinvite(ours),
            await operations.rotate(ours),
            await operations.connect(ours, world["P1"].versions_url, "token-token-token"),
            await operations.remove(ours),
            await operations.move_party(PartyId("NL", "ABC"), Role.SCSP, p1),
            await operations.move_party(PartyId("NL", "CPA"), Role.CPO, ours),
        ]
        assert [type(one).__name__ for one in done] == ["Refusal"] * 6
        assert await who_answers(world, "ABC") == "left"


async def test_callers_cannot_trip_a_plugin(tmp_path: Path) -> None:
    async with hosting(tmp_path, nasty.Left, config={"left": {"parties": ["ABC"]}}) as (hub, world):
        for _ in range(MOST_FAILURES + 1):
            body = b'{"id": "S1", "country_code": "NL", "party_id": "CPA"}'
            path = "NL/CPA/S1"
            odd = await world["P1"].call("PUT", names.SESSIONS, R, path, to="NL/ABC", sender="NL/CPA", body=body)
            assert odd.status_code != 1000
        assert not incarnation(hub, nasty.Left).guard.tripped
        assert await who_answers(world, "ABC") == "left"


@pytest.mark.parametrize("where", ["__init__", "watches", "start", "export_state", "stop"])
async def test_a_plugin_does_not_end_the_hub(tmp_path: Path, where: str) -> None:
    nasty.Exits.where = ""
    async with hosting(tmp_path, nasty.Exits, Behaves) as (hub, world):
        nasty.Exits.where = where
        change = hub.plugins.choices.with_config("exits", {"hook_timeout": 2.0})
        if where == "stop":
            await hub.plugins.choose(change)
        else:
            with pytest.raises(SettingsError, match="SystemExit"):
                await hub.plugins.choose(change)
            assert hub.plugins.choices.config == {}
        nasty.Exits.where = ""
        assert (await put_session(world)).status_code == 1000
        assert running(hub, Behaves).routed == 1


async def test_a_stopped_plugin_says_nothing_any_more(tmp_path: Path) -> None:
    async with hosting(tmp_path, nasty.Sends) as (hub, _):
        old = running(hub, nasty.Sends)
        await hub.plugins.choose(hub.plugins.choices.with_config("sends", {"hook_timeout": 2.0}))
        with pytest.raises(NotAllowed, match="stopped"):
            await old.hub.send(PartyId("NL", "CPA"), "locations", Interface.SENDER, "GET", "L")


async def test_what_is_not_a_number_is_not_sent_as_nothing(tmp_path: Path) -> None:
    async with hosting(tmp_path, nasty.Sends) as (hub, _):
        api, to = running(hub, nasty.Sends).hub, PartyId("NL", "CPA")
        for body in ({"limit": float("nan")}, {"limit": Decimal("Infinity")}, {"limit": object()}):
            with pytest.raises(ValueError, match="not JSON"):
                await api.send(to, "chargingprofiles", R, "PUT", "S1", body)
            with pytest.raises(ValueError, match="not JSON"):
                await api.shelf.save("x", body)
        for path in ("S1#z", "S1?a=b", "S 1"):
            with pytest.raises(ValueError, match="percent-encoded"):
                await api.send(to, "chargingprofiles", R, "DELETE", path)


async def test_sealed_secrets_outlive_a_rotation_of_keys(tmp_path: Path) -> None:
    async with hosting(tmp_path, nasty.Sends) as (hub, _):
        sealed = running(hub, nasty.Sends).hub.secrets.seal("hush")
    async with hosting(tmp_path, nasty.Sends, only=()) as (hub, _):
        assert running(hub, nasty.Sends).hub.secrets.open(sealed) == "hush"


@pytest.mark.parametrize(
    "party",
    [
        LocalParty(Role.HUB, "NL", "ABC", "x"),
        LocalParty("SCSP", "NL", "ABC", "x"),  # type: ignore[arg-type]
        LocalParty(Role.SCSP, "NLD", "ABC", "x"),
        LocalParty(Role.SCSP, "NL", "É€L", "x"),
        LocalParty(Role.SCSP, "NL", 5, "x"),  # type: ignore[arg-type]
        LocalParty(Role.SCSP, "NL", "ABC", "x", [("sessions", "RECEIVER")]),  # type: ignore[list-item]
        LocalParty(Role.SCSP, "NL", "ABC", "x", [("hubclientinfo", Interface.RECEIVER)]),
    ],
)
def test_a_party_that_cannot_be(party: LocalParty) -> None:
    assert len(problems_of_parties([party])) == 1


class HubsOwn(nasty.Left):
    name = "hubs_own"


async def test_nobody_plays_the_hub_itself(tmp_path: Path) -> None:
    async with hosting(tmp_path, HubsOwn) as (hub, _):
        with pytest.raises(SettingsError, match="the hub's own party"):
            await hub.plugins.choose(hub.plugins.choices.with_config("hubs_own", {"parties": ["HUB"]}))
        assert codec.dumps(hub.plugins.choices.config) == b"{}"
