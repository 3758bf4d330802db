"""Messages of every kind, so that a plugin sees whatever it watches: through every endpoint, by every way a hub has."""

from collections.abc import Awaitable, Callable

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox import objects
from hub.sandbox.platform import SandboxPlatform
from hub.testing.benches import CPO, EMSP, HUB, Bench

_S, _R = Interface.SENDER, Interface.RECEIVER
_AT_CPO, _AT_EMSP = "NL/CPO", "NL/MSP"
_CHANGED = {"last_updated": "2026-01-01T13:00:00Z"}
_SINCE = "date_from=2025-01-01T00:00:00Z"


async def send_samples(b: Bench, meanwhile: Callable[[], object]) -> None:
    """Sends them one after the other, and returns when everything is over. Some are refused, by intent. `meanwhile` is
    called now and then, when nothing is under way.
    """
    for some in (_broadcasts, _pushes, _lists, _tokens, _commands, _profiles, _refused, _to_plugins):
        await some(b)
        await b.settle()
        meanwhile()


async def _broadcasts(b: Bench) -> None:
    await b.cpo.publish(names.LOCATIONS, objects.location(CPO))
    await b.cpo.publish(names.TARIFFS, objects.tariff(CPO))
    await b.emsp.publish(names.TOKENS, objects.token(EMSP))
    await b.cpo.call("PATCH", names.LOCATIONS, _R, f"{_AT_CPO}/LOC1/E1", to=HUB, sender=CPO, body=_CHANGED)


async def _pushes(b: Bench) -> None:
    """From the CPO to one eMSP, whose objects they become."""
    cpo = _calls(b.cpo, to=EMSP, sender=CPO)
    for module, one in (
        (names.LOCATIONS, objects.location(CPO)),
        (names.TARIFFS, objects.tariff(CPO)),
        (names.SESSIONS, objects.session(CPO, driver=EMSP)),
    ):
        path = f"{_AT_CPO}/{one['id']}"
        await b.cpo.publish(module, one, to=EMSP)
        await cpo("GET", module, _R, path)
        if module != names.TARIFFS:
            await cpo("PATCH", module, _R, path, body=_CHANGED)
    await cpo("DELETE", names.TARIFFS, _R, f"{_AT_CPO}/T1")
    posted = await cpo("POST", names.CDRS, _R, body=objects.cdr(CPO, driver=EMSP))
    if posted is not None:
        await b.cpo.call("GET", names.CDRS, None, to=EMSP, sender=CPO, url=posted)


async def _lists(b: Bench) -> None:
    """Of one owner, and of everybody's out of the hub's catalog."""
    emsp = _calls(b.emsp, to=CPO, sender=EMSP)
    for module in (names.LOCATIONS, names.SESSIONS, names.CDRS, names.TARIFFS):
        await emsp("GET", module, _S, query=_SINCE)
    await emsp("GET", names.LOCATIONS, _S, "LOC1")
    await emsp("PUT", names.SESSIONS, _S, "S1/charging_preferences", body=objects.charging_preferences())
    for module in (names.LOCATIONS, names.TARIFFS):
        await b.emsp.call("GET", module, _S, to=HUB, sender=EMSP)
    await b.cpo.call("GET", names.TOKENS, _S, to=HUB, sender=CPO)
    await b.cpo.call("GET", names.TOKENS, _S, to=EMSP, sender=CPO)


async def _tokens(b: Bench) -> None:
    emsp = _calls(b.emsp, to=CPO, sender=EMSP)
    await b.emsp.publish(names.TOKENS, objects.token(EMSP), to=CPO)
    await emsp("GET", names.TOKENS, _R, f"{_AT_EMSP}/04AA11BB")
    await emsp("PATCH", names.TOKENS, _R, f"{_AT_EMSP}/04AA11BB", body=_CHANGED)
    asked = objects.location_references()
    await b.cpo.call("POST", names.TOKENS, _S, "04AA11BB/authorize", to=EMSP, sender=CPO, body=asked)
    await b.cpo.call("POST", names.TOKENS, _S, "04AA11BB/authorize", sender=CPO, body=asked)


async def _commands(b: Bench) -> None:
    url = b.emsp.callback_url("command")
    for name, body in {
        "START_SESSION": objects.start_session(url, driver=EMSP),
        "STOP_SESSION": objects.stop_session(url),
        "RESERVE_NOW": objects.reserve_now(url, driver=EMSP),
        "CANCEL_RESERVATION": objects.cancel_reservation(url),
        "UNLOCK_CONNECTOR": objects.unlock_connector(url),
    }.items():
        await b.emsp.call("POST", names.COMMANDS, _R, name, to=CPO, sender=EMSP, body=body)
        await b.settle()


async def _profiles(b: Bench) -> None:
    emsp = _calls(b.emsp, to=CPO, sender=EMSP)
    url = b.emsp.callback_url("profile")
    await emsp("PUT", names.CHARGING_PROFILES, _R, "S1", body=objects.set_charging_profile(url))
    await emsp("GET", names.CHARGING_PROFILES, _R, "S1", query=f"duration=900&response_url={url}")
    active = objects.active_charging_profile()
    await b.cpo.call("PUT", names.CHARGING_PROFILES, _S, "S1", to=EMSP, sender=CPO, body=active)
    await emsp("DELETE", names.CHARGING_PROFILES, _R, "S1", query=f"response_url={url}")


async def _refused(b: Bench) -> None:
    await b.emsp.call("GET", names.LOCATIONS, _S, to="ZZ/ZZZ", sender=EMSP)
    await b.emsp.call("GET", names.LOCATIONS, _S, to=CPO, sender="ZZ/ZZZ")
    await b.emsp.call("PUT", names.LOCATIONS, _R, f"{_AT_EMSP}/LOC9", to=CPO, sender=EMSP, body=b"{")
    await b.emsp.call("GET", names.HUB_CLIENT_INFO, _S)
    await b.emsp.call("GET", names.VERSIONS, None, url=b.hub.identity.versions_url)


async def _to_plugins(b: Bench) -> None:
    """To the parties that plugins play, through the endpoints that they serve."""
    for one in b.hub.plugins.running:
        for party in one.parties:
            for sender, me in ((b.emsp, EMSP), (b.cpo, CPO)):
                calls = _calls(sender, to=party.party, sender=me)
                for module in sorted(names.FUNCTIONAL_MODULES):
                    await calls("GET", module, _S)
                url = sender.callback_url("plugin")
                profile = objects.set_charging_profile(url)
                await calls("PUT", names.CHARGING_PROFILES, _R, "S1", body=profile)
                await calls("POST", names.COMMANDS, _R, "STOP_SESSION", body=objects.stop_session(url))
            session = objects.session(CPO, driver=party.party)
            await b.cpo.publish(names.SESSIONS, session, to=party.party)


def _calls(platform: SandboxPlatform, **between: object) -> Callable[..., Awaitable[str | None]]:
    """A platform's `call` between two parties; gives the Location of the answer."""

    async def call(method: str, module: str, interface: Interface, path: str = "", **more: object) -> str | None:
        answer = await platform.call(method, module, interface, path, **between, **more)  # type: ignore[arg-type]
        return answer.location

    return call
