"""Notes what CPOs do not take of the profiles they are sent, by the kind of charger."""

from collections.abc import Mapping
from datetime import datetime

from hub.ocpi.v221.charging_profiles import ChargingProfileResponseType as Response
from hub.ocpi.v221.charging_profiles import ChargingProfileResultType as Result
from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.grid.power import kilowatts
from plugins.load_manager.knowledge.connectors import Bounds
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.refusals import Refusal
from plugins.load_manager.steering.scene import Scene

# Results are spelled like answers.
_REFUSALS: Mapping[str, Refusal] = {
    Response.REJECTED: Refusal.REJECTED,
    Response.NOT_SUPPORTED: Refusal.REJECTED,
    Response.TOO_OFTEN: Refusal.TOO_OFTEN,
}


def said(scene: Scene, row: Row, answer: Response | Result, now: datetime) -> None:
    """What a CPO said about a profile, at once or as its result."""
    refusal = _REFUSALS.get(answer)
    if refusal is not None:
        _count(scene, row, refusal, now)


def timed_out(scene: Scene, row: Row, now: datetime) -> None:
    """Nothing was said in time."""
    _count(scene, row, Refusal.TIMED_OUT, now)


def charger_of(bounds: Bounds) -> str:
    """The kind of charger, such as `AC 3 phases 16 A`, whatever car stands there."""
    if bounds.dc:
        return f"DC {kilowatts(bounds.maximum_mw)} kW"
    phases = "1 phase" if bounds.phases == 1 else f"{bounds.phases} phases"
    return f"AC {phases} {bounds.amperage_ma // 1000} A"


def _count(scene: Scene, row: Row, refusal: Refusal, now: datetime) -> None:
    session = scene.known.sessions.find(SessionKey(row.session.id))
    if session is not None:
        _, _, bounds = scene.known.place(session)
        scene.known.refusals.count(session.owner, charger_of(bounds), refusal, now)
