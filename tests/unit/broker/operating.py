"""What tests of operations say again and again: invite, register, and look at what became of it."""

from hub.app import RunningHub
from hub.broker.operations import Invited
from hub.broker.refusal import Refusal
from hub.domain.platform import Platform
from hub.ocpi import names
from hub.ocpi.token import TokenEncoding, authorization
from hub.sandbox import SandboxPlatform, objects
from tests.hubs import role


async def invited(hub: RunningHub, name: str = "Charge", *roles: str) -> Invited:
    result = await hub.operations.invite(name, [role(text) for text in roles])
    assert isinstance(result, Invited), result
    return result


async def registered(hub: RunningHub, platform: SandboxPlatform) -> str:
    invitation = await invited(hub, platform.name)
    handshake = await platform.register(hub.identity.versions_url, invitation.registration_token)
    assert handshake.ok, handshake.problem
    return invitation.platform.id


def stored(hub: RunningHub, platform_id: str) -> Platform:
    platform = hub.registry.snapshot.platform(platform_id)
    assert platform is not None
    return platform


def known(hub: RunningHub, token: str) -> bool:
    """Whether the hub takes this token."""
    return hub.registry.caller(authorization(token, TokenEncoding.BASE64)) is not None


def refusal(result: object) -> Refusal:
    assert isinstance(result, Refusal), result
    return result


def changed(result: Platform | Refusal) -> Platform:
    assert isinstance(result, Platform), result
    return result


async def left_behind(hub: RunningHub, cpo: SandboxPlatform, reader: SandboxPlatform) -> str:
    """Registers both, and lets the reader miss broadcasts of the first: it does not answer, and little may wait for it.
    The id of its platform.
    """
    hub.broadcasts.most_legs = 1
    await registered(hub, cpo)
    reader_id = await registered(hub, reader)
    reader.faults.on(names.LOCATIONS).hang()
    owner = cpo.parties[0]
    for number in range(100):
        assert (await cpo.publish(names.LOCATIONS, objects.location(owner, f"L{number}"))).ok
    assert hub.broadcasts.is_behind(reader_id, reader.parties[0])
    return reader_id
