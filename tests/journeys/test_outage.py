"""An outage, told from its beginning to its end."""

from pathlib import Path

from hub import app
from hub.clock import ManualClock
from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.platform import SandboxPlatform
from hub.sandbox.world import fixture_world
from tests.hubs import id_of, register_all, test_settings
from tests.waiting import until

S, R = Interface.SENDER, Interface.RECEIVER
OTHERS = ("P2", "P4", "P5")


async def broadcast(owner: SandboxPlatform, uid: str, *, valid: bool = True, stamp: str) -> None:
    """A token of NL/EMA for everybody."""
    token = objects.token("NL/EMA", uid) | {"valid": valid, "last_updated": stamp}
    answer = await owner.call("PUT", names.TOKENS, R, f"NL/EMA/{uid}", to="NL/HUB", sender="NL/EMA", body=token)
    assert answer.ok, answer


def statuses(platform: SandboxPlatform) -> list[str]:
    """What a platform was told about NL/CPA, in order."""
    return [one.data["status"] for one in platform.received.of(names.HUB_CLIENT_INFO, R, "PUT", "NL/CPA")]


async def test_a_cpo_goes_dark_and_gets_back_in_sync(tmp_path: Path) -> None:
    clock = ManualClock()
    with (tmp_path / "legs.log").open("wb") as legs:
        async with (
            app.running(test_settings(tmp_path), legs_to=legs, clock=clock) as hub,
            fixture_world(only=["P1", "P2", "P4", "P5"]) as world,
        ):
            p1, p2 = world["P1"], world["P2"]
            await register_all(hub, world)
            await broadcast(p2, "BEFORE", stamp="2026-01-01T10:00:00Z")
            await broadcast(p2, "CHANGED", stamp="2026-01-01T10:00:00Z")
            await until(lambda: hub.broadcasts.quiet)
            assert len(p1.received.of(names.TOKENS, R, "PUT")) == 4  # two tokens, two CPOs on the platform
            world.forget_received()

            # The CPO goes dark: everybody is told, and what is pushed to it directly is refused.
            dark = p1.faults.on().answer(503)
            await clock.jump(301)
            for probe in range(1, 4):
                await until(lambda probe=probe: dark.hits >= probe)  # type: ignore[misc]
                await clock.jump(21)
            await until(lambda: all(statuses(world[name]) == ["OFFLINE"] for name in OTHERS))
            asked = len(p1.received)
            token = objects.token("NL/EMA", "DIRECT")
            refused = await p2.call("PUT", names.TOKENS, R, "NL/EMA/DIRECT", to="NL/CPA", sender="NL/EMA", body=token)
            assert (refused.status, refused.status_code) == (200, 4003)

            # Life goes on meanwhile, without it.
            await broadcast(p2, "CHANGED", valid=False, stamp="2026-01-01T11:00:00Z")
            await broadcast(p2, "MISSED", stamp="2026-01-01T11:00:00Z")
            await until(lambda: hub.broadcasts.quiet)
            assert world["P4"].received.of(names.TOKENS, R, "PUT")
            assert len(p1.received) == asked

            # It returns with its first message; everybody is told once. Nothing is sent to it again.
            p1.faults.clear()
            crawl = await p1.crawl(names.TOKENS, to="NL/HUB", sender="NL/CPA", query="date_from=2026-01-01T10:30:00Z")
            assert crawl.complete
            await until(lambda: all(statuses(world[name]) == ["OFFLINE", "CONNECTED"] for name in OTHERS))
            await until(lambda: hub.client_info.quiet and hub.broadcasts.quiet)
            assert not p1.received.of(names.TOKENS, R)

            # One GET, and it has exactly what it missed.
            assert [(one["uid"], one["valid"]) for one in crawl.objects] == [("CHANGED", False), ("MISSED", True)]
            everything = await p1.crawl(names.TOKENS, to="NL/HUB", sender="NL/CPA")
            assert [one["uid"] for one in everything.objects] == ["BEFORE", "CHANGED", "MISSED"]
            for _ in range(3):
                await p1.call("GET", names.TOKENS, S, to="NL/HUB", sender="NL/CPA")
            await until(lambda: hub.client_info.quiet)
            assert all(statuses(world[name]) == ["OFFLINE", "CONNECTED"] for name in OTHERS)
            assert id_of(hub, "P1") not in hub.liveness.offline
