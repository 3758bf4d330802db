"""Notes what CPOs do not take of the profiles they are sent, by the kind of charger."""

from collections.abc import Mapping
from datetime import datetime

from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Response
from hub.ocpi.v221.charging_profiles import ChargingProfileResultType as Result
from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.knowledge.keys import owner
from plugins.load_manager.knowledge.refusals import Refusal
from plugins.load_manager.steering.scene import Scene

_REFUSALS: Mapping[Response | Result, Refusal] = {
    Response.REJECTED: Refusal.REJECTED,
    Response.NOT_SUPPORTED: Refusal.REJECTED,
    Response.TOO_OFTEN: Refusal.TOO_OFTEN,
    Result.REJECTED: Refusal.REJECTED,
}


def said(scene: Scene, row: Row, answer: Response | Result, now: datetime) -> None:
    """What a CPO said about a profile, at once or as its result."""
    refusal = _REFUSALS.get(answer)
    if refusal is not None:
        _count(scene, row, refusal, now)


def timed_out(scene: Scene, row: Row, now: datetime) -> None:
    """Nothing was said in time."""
    _count(scene, row, Refusal.TIMED_OUT, now)


def charger_of(row: Row) -> str:
    """The kind of charger, such as `AC 3 phases 16 A`."""
    scale = row.session.scale
    if scale.unit == "W":
        return f"DC {kilowatts(row.session.maximum_mw)} kW"
    return f"AC {scale.phases} phases {row.session.maximum_mw // scale.ampere_mw} A"


def _count(scene: Scene, row: Row, refusal: Refusal, now: datetime) -> None:
    scene.known.refusals.count(owner(row.session.cpo), charger_of(row), refusal, now)
