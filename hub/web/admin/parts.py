"""What the admin API works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from hub.broker.alarms import Alarms
from hub.broker.identity import HubIdentity
from hub.broker.liveness import LivenessBoard
from hub.broker.operations import Operations
from hub.broker.registry import RegistryKeeper
from hub.broker.selftest import Selftest


@dataclass(frozen=True, slots=True)
class AdminParts:
    """`token` is the bearer token of every call; `last_heard` tells when a platform was last heard of, if ever."""

    token: str = field(repr=False)
    operations: Operations
    selftest: Selftest
    registry: RegistryKeeper
    liveness: LivenessBoard
    alarms: Alarms
    identity: HubIdentity
    last_heard: Callable[[str], datetime | None]
