"""Handshakes and heartbeats with a DSO on real sockets: how contact begins, lasts, ends, and comes back."""

from datetime import datetime, timedelta

import pytest

from hub.ocpi import times
from hub.sandbox.received import Received
from plugins.load_manager.oscp import CapacityProviders, Initiator, NotDelivered, Profile, State
from tests.unit.plugins.load_manager.oscp.socket_hub import Site, site
from tests.waiting import until

HUB_BEGINS = Profile(handshake_from=Initiator.HUB)


def offline_mode_at(received: Received) -> datetime:
    found = times.parse(received.data["offline_mode_at"])
    assert found is not None
    return found


async def test_the_dso_shakes_hands_and_each_says_what_it_wants() -> None:
    async with site(heartbeat_interval_s=20, beats=False) as s:
        await s.register()
        await s.shake_hands()

        acknowledged = s.dso.received.of("handshake_acknowledge")[0]
        assert acknowledged.correlation_id == s.dso.link.handshake_id
        assert acknowledged.data == {"required_behaviour": {"heartbeat_interval": 60, "measurement_configuration": []}}
        assert s.told.events == [("online", s.id, None)]
        assert await s.state() is State.HANDSHAKEN


@pytest.mark.parametrize("path", ["handshake_acknowledge", "handshake_acknowledgment"])
async def test_the_hub_shakes_hands_and_the_dso_may_spell_its_answer_either_way(path: str) -> None:
    async with site(acknowledge_path=path) as s:
        await s.register(HUB_BEGINS)
        await until(lambda: s.told.count("online") == 1)
        assert s.dso.received.of("handshake")[0].data["required_behaviour"]["heartbeat_interval"] == 60
        await until(lambda: s.providers.every()[0].state is State.ONLINE)


async def test_the_hub_spells_its_acknowledgement_as_the_profile_says() -> None:
    async with site() as s:
        await s.register(Profile(acknowledge_path="handshake_acknowledgment"))
        await s.shake_hands()
        assert s.dso.received.of("handshake_acknowledgment")


async def test_an_acknowledgement_of_nothing() -> None:
    async with site() as s:
        await s.register()
        assert (await s.dso.send("handshake_acknowledge", {})).status == 400
        assert s.told.events == []


async def test_an_acknowledgement_that_does_not_arrive_ends_contact() -> None:
    async with site() as s:
        await s.register()
        s.dso.faults.on("handshake_acknowledge").answer(400)
        assert (await s.dso.handshake()).status == 204
        await until(lambda: s.told.count("offline") == 1)
        assert [one[0] for one in s.told.events] == ["online", "offline"]
        assert await s.state() is State.OFFLINE


async def test_heartbeats_go_both_ways_as_asked() -> None:
    async with site(heartbeat_interval_s=20) as s:
        await s.register(Profile(heartbeat_interval_s=30))
        await s.shake_hands()
        await until(lambda: s.providers.every()[0].heartbeats_in == 1)
        assert await s.state() is State.ONLINE

        for count in (1, 2, 3):
            await s.pass_by(20, lambda count=count: len(s.dso.received.of("heartbeat")) == count)  # type: ignore[misc]
        await until(lambda: s.providers.every()[0].heartbeats_out == 3)
        assert offline_mode_at(s.dso.received.of("heartbeat")[-1]) == s.clock.now() + timedelta(seconds=60)
        await until(lambda: s.providers.every()[0].heartbeats_in == 3)
        seen = s.providers.every()[0]
        assert seen.last_heartbeat_in_at == seen.last_heartbeat_out_at == s.clock.now()
        assert seen.offline_mode_at == s.clock.now() + timedelta(seconds=90)


async def test_operators_see_why_heartbeats_of_the_hub_do_not_arrive() -> None:
    async with site(heartbeat_interval_s=20, beats=False) as s:
        await s.register()
        await s.shake_hands()
        s.dso.faults.on("heartbeat", times=1).answer(503, b'{"message":"out for lunch"}')
        await s.pass_by(20, lambda: "out for lunch" in (s.providers.every()[0].heartbeat_problem or ""))
        assert len(s.dso.received.of("heartbeat")) == 1
        await s.pass_by(20, lambda: s.providers.every()[0].heartbeats_out == 1)
        assert s.providers.every()[0].heartbeat_problem is None


async def in_contact(s: Site) -> None:
    """The deadline is five minutes away, and the DSO silent."""
    s.dso.habits.beats = False
    await s.register()
    await s.shake_hands()
    assert (await s.dso.heartbeat(300)).status == 204


async def test_heartbeats_stop_and_contact_ends_at_the_deadline_once() -> None:
    async with site() as s:
        await in_contact(s)
        deadline = s.clock.now() + timedelta(seconds=300)

        await s.clock.advance(299.9)
        assert s.told.count("offline") == 0
        await s.clock.advance(1)
        assert s.told.events[-1] == ("offline", s.id, deadline)
        await s.clock.advance(3600)
        assert s.told.count("offline") == 1
        assert ("capacity_provider_offline", s.id) in s.hub.alarms
        sent = len(s.dso.received.of("heartbeat"))
        await s.clock.advance(600)
        assert len(s.dso.received.of("heartbeat")) == sent  # it shall notice that a handshake is due


async def test_a_heartbeat_moves_the_deadline_forward_only() -> None:
    async with site() as s:
        await in_contact(s)
        assert (await s.dso.heartbeat(60)).status == 204
        await s.clock.advance(200)
        assert s.told.count("offline") == 0
        assert (await s.dso.heartbeat(300)).status == 204
        await s.clock.advance(299)
        assert s.told.count("offline") == 0
        await s.clock.advance(2)
        assert s.told.count("offline") == 1


async def test_a_heartbeat_that_cannot_be_meant() -> None:
    async with site() as s:
        await in_contact(s)
        assert (await s.dso.heartbeat(0)).status == 400
        assert (await s.dso.send("heartbeat", {"offline_mode_at": "2026-01-01T01:00:00"})).status == 400
        assert (await s.dso.heartbeat(10_000_000)).status == 204
        assert s.providers.every()[0].offline_mode_at == s.clock.now() + timedelta(days=1)


async def test_a_handshake_without_heartbeats_ends_after_three_intervals() -> None:
    async with site(beats=False) as s:
        await s.register(Profile(heartbeat_interval_s=10))
        await s.shake_hands()
        await s.clock.advance(29.9)
        assert s.told.count("offline") == 0
        await s.clock.advance(0.2)
        assert s.told.count("offline") == 1


async def test_only_a_handshake_brings_contact_back() -> None:
    async with site() as s:
        await in_contact(s)
        await s.clock.advance(301)
        assert (await s.dso.heartbeat(300)).status == 204
        assert await s.state() is State.OFFLINE
        assert [one[0] for one in s.told.events] == ["online", "offline"]

        await s.shake_hands()
        assert [one[0] for one in s.told.events] == ["online", "offline", "online"]
        assert s.hub.alarms == {}
        await s.clock.advance(181)
        assert [one[0] for one in s.told.events] == ["online", "offline", "online", "offline"]


async def test_the_hub_offers_its_handshake_again_after_an_absence() -> None:
    async with site() as s:
        await s.register(HUB_BEGINS)
        await until(lambda: s.told.count("online") == 1)
        s.dso.stop_heartbeats()
        await until(lambda: s.providers.every()[0].heartbeats_in == 1)
        s.dso.habits.beats = False
        await s.dso.go_dark()
        await s.pass_by(181, lambda: s.told.count("offline") == 1)
        await s.dso.come_back()
        await s.pass_by(60, lambda: s.told.count("online") == 2)


async def test_a_provider_without_heartbeats_is_never_taken_for_offline() -> None:
    async with site(beats=False, heartbeat_interval_s=None) as s:
        await s.register(Profile(heartbeat_interval_s=None))
        await s.shake_hands()
        assert "heartbeat_interval" not in s.dso.received.of("handshake_acknowledge")[0].data["required_behaviour"]
        await s.clock.jump(7 * 24 * 3600)
        assert await s.state() is State.ONLINE
        assert s.dso.received.of("heartbeat") == []


async def test_the_deadline_holds_while_the_store_is_away() -> None:
    async with site() as s:
        await in_contact(s)
        s.hub.outage.away = True
        assert (await s.dso.heartbeat(400)).status == 204
        await s.clock.advance(399)
        assert s.told.count("offline") == 0
        await s.clock.advance(2)
        assert s.told.count("offline") == 1
        s.hub.outage.away = False
        assert await s.state() is State.OFFLINE


async def test_another_start_knows_everybody_and_says_again_who_is_offline() -> None:
    async with site() as s:
        await in_contact(s)
        s.providers.unwatch()
        later = CapacityProviders(s.hub, s.told, "http://127.0.0.1")
        await later.open()
        await later.watch()
        await s.clock.advance(301)
        assert s.told.count("offline") == 1
        later.unwatch()
        await later.watch()
        assert s.told.events[-1] == s.told.events[-2]
        later.unwatch()


async def test_what_another_node_was_told_is_noticed_by_the_one_that_watches() -> None:
    async with site(beats=False) as s:
        await s.register()
        watching = CapacityProviders(s.hub, s.told, "http://127.0.0.1")
        s.providers.unwatch()
        await watching.open()
        await watching.watch()
        await s.shake_hands()  # through the door of the node that does not watch
        await s.pass_by(71, lambda: len(s.dso.received.of("heartbeat")) == 1)
        await s.clock.advance(110)
        assert s.told.count("offline") == 1
        watching.unwatch()


async def test_a_heartbeat_that_is_sent_to_try_the_wire() -> None:
    async with site(beats=False) as s:
        invitation = await s.providers.create("Grid One")
        with pytest.raises(NotDelivered, match="not registered"):
            await s.providers.test_signal(invitation.id)
        await s.register()
        await s.providers.test_signal(s.id)
        assert len(s.dso.received.of("heartbeat")) == 1
        s.dso.faults.on("heartbeat").answer(503)
        with pytest.raises(NotDelivered, match="503"):
            await s.providers.test_signal(s.id)
        assert await s.state() is State.REGISTERED
