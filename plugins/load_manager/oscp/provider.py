"""A capacity provider (a DSO) as the hub keeps it: how far the connection has come, who is who by which token, what it
asked of the hub, when contact ends.

Rules
- REGISTERING until both sides hold a token of the other; REGISTERED until a handshake.
- A handshake leads to HANDSHAKEN from everywhere; the first heartbeat after it to ONLINE.
- Past `offline_mode_at` HANDSHAKEN and ONLINE become OFFLINE. Only a handshake leads out of OFFLINE.
- An unregistration leads back to REGISTERING.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_serializer

from plugins.load_manager.oscp.messages import MeasurementConfiguration
from plugins.load_manager.oscp.profile import Profile

VERSION = "2.0"
NEVER = datetime.max.replace(tzinfo=UTC)


class Kind(StrEnum):
    """How it speaks: OSCP 2.0, or the hub's own API for signals, for which it only has a token."""

    OSCP = "oscp"
    NATIVE = "native"


class State(StrEnum):
    REGISTERING = "REGISTERING"
    REGISTERED = "REGISTERED"
    HANDSHAKEN = "HANDSHAKEN"
    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"


IN_CONTACT = frozenset({State.HANDSHAKEN, State.ONLINE})


class Provider(BaseModel):
    """One of them, at one moment. Tokens the provider presents are kept as fingerprints, those it wants to see sealed.

    registration_token  single use: opens a registration, then it is gone
    inbound_token       what the provider presents; `former_inbound_token` also until the new one was first seen
    outbound_token      what is presented to the provider
    base_url            of the provider, without a slash at its end
    heartbeat_s         how often it asked for heartbeats of the hub at the last handshake; None: not at all
    measurements        what it wants measured, by the same; None: it has not said
    offline_mode_at     when contact ends if nothing more comes; `offline_since`: when it ended, until it is back
    handshake_id        the request id of a handshake of the hub that waits to be acknowledged
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    id: str
    name: str
    kind: Kind = Kind.OSCP
    created_at: AwareDatetime
    profile: Profile = Profile()
    state: State = State.REGISTERING
    registration_token: str | None = Field(None, repr=False)
    inbound_token: str | None = Field(None, repr=False)
    former_inbound_token: str | None = Field(None, repr=False)
    outbound_token: str | None = Field(None, repr=False)
    base_url: str | None = None
    heartbeat_s: float | None = None
    measurements: tuple[MeasurementConfiguration, ...] | None = None
    handshake_id: str | None = None
    offline_mode_at: AwareDatetime | None = None
    offline_since: AwareDatetime | None = None
    heartbeats_in: Annotated[int, Field(ge=0)] = 0
    last_heartbeat_in_at: AwareDatetime | None = None
    last_signal_at: AwareDatetime | None = None

    @field_serializer("profile")
    def _keep_profile(self, profile: Profile) -> dict[str, object]:
        return profile.kept()

    @property
    def in_contact(self) -> bool:
        return self.state in IN_CONTACT

    @property
    def deadline(self) -> datetime:
        """When contact ends if nothing more comes."""
        return NEVER if self.offline_mode_at is None else self.offline_mode_at

    def with_(self, **changes: object) -> "Provider":
        """The same, with some members changed."""
        return self.model_copy(update=changes)

    def has(self, fingerprint: str) -> bool:
        """Whether this is the fingerprint of a token that the provider may present."""
        return fingerprint in (self.registration_token, self.inbound_token, self.former_inbound_token)
