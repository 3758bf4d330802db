"""What the admin API works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hub.broker.agreements import AgreementOperations
from hub.broker.alarms import Alarms
from hub.broker.catalog_view import CatalogView
from hub.broker.identity import HubIdentity
from hub.broker.liveness import LivenessBoard
from hub.broker.operations import Operations
from hub.broker.plugins.host import PluginHost
from hub.broker.pulls import Pulls
from hub.broker.registry import RegistryKeeper
from hub.broker.selftest import Selftest
from hub.ocpi.party_id import PartyId


@dataclass(frozen=True, slots=True)
class AdminParts:
    """`token` is the bearer token of every call; `last_heard` tells when a platform was last heard of, if ever;
    `is_behind` whether a party on a platform has missed broadcasts; `now` what time it is.
    """

    token: str = field(repr=False)
    operations: Operations
    agreements: AgreementOperations
    catalog: CatalogView
    pulls: Pulls
    selftest: Selftest
    plugins: PluginHost
    registry: RegistryKeeper
    liveness: LivenessBoard
    alarms: Alarms
    identity: HubIdentity
    last_heard: Callable[[str], datetime | None]
    is_behind: Callable[[str, PartyId], bool]
    now: Callable[[], datetime]
