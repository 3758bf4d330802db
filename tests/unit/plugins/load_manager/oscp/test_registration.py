"""Registration with a DSO on real sockets: from either side, rotated, ended; and who does not get in."""

import pytest

from hub.ocpi import codec
from hub.sandbox.answer import Answer
from hub.sandbox.dso import SandboxDso
from plugins.load_manager.oscp import NotDelivered, Profile, Refused, State, UnknownProvider
from tests.unit.plugins.load_manager.oscp.socket_hub import site
from tests.waiting import until


def told(answer: Answer) -> str:
    message = codec.loads(answer.body)["message"]
    assert isinstance(message, str)
    return message


async def test_the_dso_registers_and_each_holds_a_token_of_the_other() -> None:
    async with site() as s:
        invitation = await s.register()

        back = s.dso.received.of("register")[0]
        body = back.data
        assert body["version_url"] == [{"version": "2.0", "base_url": invitation.base_url}]
        assert body["token"] != invitation.registration_token
        first_id = back.correlation_id
        assert first_id
        assert first_id != back.request_id
        assert await s.state() is State.REGISTERED
        kept = str([await s.hub.shelf.load(key) for key in await s.hub.shelf.keys()])
        assert body["token"] not in kept
        assert str(s.dso.link.inbound_token) not in kept

        again = await s.dso.send("register", b"{}", token=invitation.registration_token)
        assert again.status == 401


async def test_a_register_whose_answer_was_missed_may_be_sent_again_and_registers_once() -> None:
    async with site() as s:
        invitation = await s.providers.create("Grid One")
        s.dso.link.base_url, s.dso.link.inbound_token = invitation.base_url, "one"
        body = {"token": "one", "version_url": [{"version": "2.0", "base_url": s.dso.base_url}]}
        for _ in range(2):
            answer = await s.dso.send("register", body, token=invitation.registration_token, request_id="R1")
            assert answer.status == 204
        await s.dso.registered()
        assert len(s.dso.received.of("register")) == 1


async def test_the_hub_registers() -> None:
    async with site() as s:
        token = s.dso.issue_token()
        invitation = await s.providers.connect("Grid One", f"{s.dso.base_url}/", token)
        await s.dso.registered()

        s.id = invitation.id
        assert await s.state() is State.REGISTERED
        first = s.dso.received.of("register")[0]
        assert first.headers["Authorization"] == f"Token {token}"
        assert first.data["token"] == invitation.registration_token
        await s.shake_hands()
        assert s.dso.received.of("handshake_acknowledge")[0].headers["Authorization"] != f"Token {token}"


@pytest.mark.parametrize("wrong", ["token", "nobody"])
async def test_a_hub_that_cannot_register_knows_no_more_of_it(wrong: str) -> None:
    async with site() as s:
        s.dso.issue_token()
        if wrong == "nobody":
            await s.dso.go_dark()
        with pytest.raises(NotDelivered):
            await s.providers.connect("Grid One", s.dso.base_url, "not-issued")
        assert s.providers.every() == []
        with pytest.raises(Refused):
            await s.providers.connect("Grid One", "ftp://grid", "token")


async def test_no_version_in_common() -> None:
    async with site(versions=("1.0", "3.0")) as s:
        invitation = await s.providers.create("Grid One")
        answer = await s.dso.register(invitation.base_url, invitation.registration_token)
        assert (answer.status, answer.headers["X-Error-Message"]) == (501, told(answer))

        s.dso.habits.versions = ["1.0", "2.0"]
        assert (await s.dso.register(invitation.base_url, invitation.registration_token)).status == 204


async def test_a_registration_token_opens_nothing_else() -> None:
    async with site() as s:
        invitation = await s.providers.create("Grid One")
        s.dso.link.base_url = invitation.base_url
        token = invitation.registration_token
        assert (await s.dso.send("handshake", {}, token=token)).status == 403
        assert (await s.dso.send("register", {}, method="PUT", token=token)).status == 403
        assert (await s.dso.send("heartbeat", {}, token="not-issued")).status == 401
        wrong = await s.dso.send("register", {"token": "a b", "version_url": []}, token=token)
        assert wrong.status == 400
        assert "token" in told(wrong)


async def test_the_dso_gives_another_token() -> None:
    async with site() as s:
        await s.register()
        old = s.dso.link.inbound_token
        assert (await s.dso.rotate()).status == 204
        await s.shake_hands()
        said = s.dso.received.of("handshake_acknowledge")[0].headers["Authorization"]
        assert said == f"Token {s.dso.link.inbound_token}" != f"Token {old}"


async def test_the_hub_gives_another_token_and_the_old_one_ends_with_its_first_use() -> None:
    async with site() as s:
        await s.register()
        old = s.dso.link.outbound_token
        await s.providers.rotate(s.id)
        assert s.dso.received.of("register", method="PUT")[0].data["token"] == s.dso.link.outbound_token != old
        assert (await s.dso.send("heartbeat", {}, token=old)).status == 400  # it got in
        await s.shake_hands()
        assert (await s.dso.send("heartbeat", {}, token=old)).status == 401


async def test_a_rotation_that_does_not_arrive_leaves_the_old_token_good() -> None:
    async with site() as s:
        await s.register()
        s.dso.faults.on("register", method="PUT").answer(500)
        with pytest.raises(NotDelivered, match="500"):
            await s.providers.rotate(s.id)
        await s.shake_hands()


async def test_the_dso_unregisters_and_is_invited_again() -> None:
    async with site() as s:
        await s.register()
        await s.shake_hands()
        token = s.dso.link.outbound_token
        base_url = s.dso.link.base_url
        assert (await s.dso.unregister()).status == 204
        assert await s.state() is State.REGISTERING
        assert s.told.count("offline") == 1
        await s.providers.watch()  # another start
        assert s.told.events[-1] == s.told.events[-2]
        s.dso.link.base_url = base_url
        assert (await s.dso.send("heartbeat", {}, token=token)).status == 401

        invitation = await s.providers.invite(s.id)
        assert (await s.dso.register(invitation.base_url, invitation.registration_token)).status == 204
        await s.dso.registered()
        await s.shake_hands()


async def test_a_provider_is_removed() -> None:
    async with site() as s:
        await s.register()
        await s.shake_hands()
        await s.providers.remove(s.id)
        assert s.dso.received.of("register", method="DELETE")
        assert s.dso.link.outbound_token is None
        assert s.told.count("offline") == 1
        assert s.hub.alarms == {}
        with pytest.raises(UnknownProvider):
            await s.providers.get(s.id)


async def test_a_registration_that_cannot_be_completed_is_told_to_operators() -> None:
    async with site() as s:
        invitation = await s.providers.create("Grid One")
        s.dso.faults.on("register").answer(403, b'{"message":"not today"}')
        assert (await s.dso.register(invitation.base_url, invitation.registration_token)).status == 204
        alarm = ("capacity_provider_not_registered", invitation.id)
        await until(lambda: alarm in s.hub.alarms)
        assert "not today" in s.hub.alarms[alarm]

        s.dso.faults.clear()
        invitation = await s.providers.invite(invitation.id)
        await s.dso.register(invitation.base_url, invitation.registration_token)
        await s.dso.registered()
        await until(lambda: not s.hub.alarms)


async def test_two_dsos_are_strangers_to_each_other() -> None:
    async with site() as s, SandboxDso("Grid Two", clock=s.clock) as other:
        await s.register()
        invitation = await s.providers.create("Grid Two", Profile(heartbeat_interval_s=10))
        await other.register(invitation.base_url, invitation.registration_token)
        await other.registered()
        s.told.groups = {"G1": invitation.id}
        assert (await s.send_limit())[0].status == 403
        assert s.told.forecasts == []
