"""What can be told to whoever steers, as plain values: they travel from any node to the one that holds the duty.

What operators ask for says only what was asked, so that two of them at two nodes do not undo each other's words. Its
`asked` is an id by which the answer is found (`outcome`).
"""

from dataclasses import dataclass
from typing import Any, get_args

from hub.ocpi import codec
from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType, ChargingProfileResultType
from plugins.load_manager.knowledge.cpo_settings import CpoSettings
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.session import Source
from plugins.load_manager.profiles import StepProfile
from plugins.load_manager.signals.signal import CapacitySignal

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionTold:
    """A session's body, the whole of it or what a PATCH has of it."""

    party: str
    id: str
    body: JsonObject
    whole: bool
    source: Source


@dataclass(frozen=True, slots=True)
class WishTold:
    """A driver's charging preferences, and what the CPO answered."""

    party: str
    id: str
    body: JsonObject
    answer: str | None
    correlation_id: str


@dataclass(frozen=True, slots=True)
class LocationTold:
    """A location of the catalog is new, has changed, or is gone."""

    party: str
    id: str


@dataclass(frozen=True, slots=True)
class LocationsRead:
    """The hub has read a CPO's list of locations itself: these are new, say something else or are gone; None: look at
    all of them.
    """

    party: str
    ids: list[str] | None


@dataclass(frozen=True, slots=True)
class CpoReached:
    """Whether a CPO can be reached."""

    party: str
    connected: bool


@dataclass(frozen=True, slots=True)
class ActiveTold:
    """A CPO pushed an ActiveChargingProfile of one of its sessions."""

    session: SessionKey
    body: JsonObject


@dataclass(frozen=True, slots=True)
class ResultCame:
    """The result of a message of ours."""

    session: SessionKey
    epoch: int
    seq: int
    result: ChargingProfileResultType


@dataclass(frozen=True, slots=True)
class SignalCame:
    """A capacity signal that was judged. `contact`: it comes over a wire without heartbeats, so it is contact too."""

    signal: CapacitySignal
    contact: bool = False


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """Contact with a capacity provider is there, or lost."""

    capacity_provider: str
    online: bool


@dataclass(frozen=True, slots=True)
class GroupPut:
    """A group more, or another form of one, as its body."""

    asked: str
    body: JsonObject


@dataclass(frozen=True, slots=True)
class GroupDeleted:
    """A group less."""

    asked: str
    group_id: str


@dataclass(frozen=True, slots=True)
class GridImported:
    """This grid in place of the one before, as bodies of groups."""

    asked: str
    groups: list[JsonObject]


@dataclass(frozen=True, slots=True)
class CpoChanged:
    """What a CPO agrees to."""

    asked: str
    party: str
    settings: CpoSettings


@dataclass(frozen=True, slots=True)
class ModeChanged:
    """`shadow`: nothing is sent; `stopped`: every group falls back. None leaves it as it is."""

    asked: str
    shadow: bool | None = None
    stopped: bool | None = None


@dataclass(frozen=True, slots=True)
class SignalSettled:
    """An operator takes a signal that was set aside, or throws it away."""

    signal: CapacitySignal
    take: bool


@dataclass(frozen=True, slots=True)
class LimitLifted:
    """What a source has said about a group holds no more."""

    group_id: str
    source: str


@dataclass(frozen=True, slots=True)
class TheirsUnderWay:
    """An eMSP's PUT is under way to the CPO."""

    session: SessionKey
    profile: StepProfile
    correlation_id: str


@dataclass(frozen=True, slots=True)
class TheirsAnswered:
    """What the CPO said at once to an eMSP's PUT; no answer came when `answer` is None."""

    correlation_id: str
    answer: ChargingProfileResponseType | None
    timeout_s: int = 0


@dataclass(frozen=True, slots=True)
class TheirsResulted:
    """The result of an eMSP's PUT."""

    correlation_id: str
    result: ChargingProfileResultType


@dataclass(frozen=True, slots=True)
class TheirsGone:
    """An eMSP's DELETE was taken; its result is owed to this handle."""

    session: SessionKey
    handle: str


@dataclass(frozen=True, slots=True)
class Missed:
    """Messages went by unseen: what CPOs know has to be asked for."""

    why: str


Asked = GroupPut | GroupDeleted | GridImported | CpoChanged | ModeChanged

Fact = (
    SessionTold
    | WishTold
    | LocationTold
    | LocationsRead
    | CpoReached
    | ActiveTold
    | ResultCame
    | SignalCame
    | ContactChanged
    | Asked
    | SignalSettled
    | LimitLifted
    | TheirsUnderWay
    | TheirsAnswered
    | TheirsResulted
    | TheirsGone
    | Missed
)

_KINDS: dict[str, type[Fact]] = {kind.__name__: kind for kind in get_args(Fact)}


def to_event(fact: Fact) -> dict[str, object]:
    """As JSON values that go from node to node."""
    plain: JsonObject = codec.to_plain(fact)
    # Plain values have no Decimal; bodies are JSON values already, with all their digits.
    plain.update({name: getattr(fact, name) for name in ("body", "groups") if hasattr(fact, name)})
    return {"fact": type(fact).__name__, "value": plain}


def from_event(event: object) -> Fact:
    """The reverse of `to_event`. Raises ValueError for what is no fact, such as one of another release."""
    kind = _KINDS.get(str(event.get("fact"))) if isinstance(event, dict) else None
    if kind is None or not isinstance(event, dict):
        raise ValueError("an event of the duty is no fact that is known here")
    fact: Fact = codec.from_plain(kind, event.get("value"))
    return fact
