"""What each endpoint of a simulated platform answers unless told otherwise: modules and interfaces to their parts."""

from collections.abc import Awaitable, Callable, Iterable

from hub.ocpi import names
from hub.ocpi.names import Interface
from hub.sandbox.authorization import Authorization
from hub.sandbox.cdrs import CdrInbox
from hub.sandbox.charging_profiles import ChargingProfiles
from hub.sandbox.commands import Commands
from hub.sandbox.custom import CustomModules
from hub.sandbox.endpoints import ServedEndpoint
from hub.sandbox.held import HeldObjects
from hub.sandbox.owned import OwnedObjects
from hub.sandbox.received import Received
from hub.sandbox.reply import Replies, Reply

Behaviour = Callable[[Received], Reply | Awaitable[Reply]]

_S, _R = Interface.SENDER, Interface.RECEIVER


def usual_behaviours(
    endpoints: Iterable[ServedEndpoint],
    *,
    owned: OwnedObjects,
    held: HeldObjects,
    cdrs: CdrInbox,
    authorization: Authorization,
    commands: Commands,
    profiles: ChargingProfiles,
    custom: CustomModules,
    replies: Replies,
) -> dict[tuple[str, Interface], Behaviour]:
    """One behaviour for each of these endpoints. Paths and methods have been checked when one is called."""
    usual: dict[tuple[str, Interface], Behaviour] = {
        (names.LOCATIONS, _S): _list_or(owned, owned.location),
        (names.SESSIONS, _S): _list_or(owned, owned.prefer),
        (names.CDRS, _S): owned.page,
        (names.TARIFFS, _S): owned.page,
        (names.TOKENS, _S): _list_or(owned, authorization.serve),
        (names.HUB_CLIENT_INFO, _S): owned.page,
        (names.COMMANDS, _S): lambda _: replies.ok(),  # a result; `received` keeps it
        (names.CHARGING_PROFILES, _S): profiles.learn,
        (names.LOCATIONS, _R): held.serve,
        (names.SESSIONS, _R): held.serve,
        (names.TARIFFS, _R): held.serve,
        (names.TOKENS, _R): held.serve,
        (names.HUB_CLIENT_INFO, _R): held.client_info,
        (names.CDRS, _R): cdrs.serve,
        (names.COMMANDS, _R): commands.serve,
        (names.CHARGING_PROFILES, _R): profiles.serve,
    }
    served = {(one.module, one.interface) for one in endpoints}
    return {key: usual.get(key, custom.serve) for key in served}


def _list_or(owned: OwnedObjects, single: Callable[[Received], Reply]) -> Behaviour:
    return lambda received: single(received) if received.segments else owned.page(received)
