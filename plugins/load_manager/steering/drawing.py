"""What the sessions of each group draw now, as far as anybody has told.

Rules
- A session counts with its best reading, unless that is older than half an hour: CPOs are asked every quarter.
- Without one it counts with what is booked for it, and so it does when the reading is from before its limit and above
  what is booked: both are assumed.
- A group none of whose sessions has a reading is not measured at all.
"""

from datetime import datetime

from hub.plugin import HubApi
from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.knowledge.keys import SessionKey
from plugins.load_manager.knowledge.power import Drawn, Quality
from plugins.load_manager.steering.scene import Scene
from plugins.load_manager.strides import Pace

OLDEST_S = 1800


async def drawn_by_group(hub: HubApi, scene: Scene) -> dict[str, Drawn]:
    """The sums by group, those below it included; others get a turn meanwhile."""
    now = hub.now()
    sums: dict[str, Drawn] = {}
    told: set[str] = set()
    pace = Pace(hub.sleep)
    for row in list(scene.rows()):
        await pace.step()
        one = _drawn(scene, row, now)
        if one is not None:
            for group_id in row.session.path:
                sums[group_id] = sums[group_id] + one if group_id in sums else one
            if one.quality is not Quality.ASSUMED:
                told.update(row.session.path)
    return {group_id: drawn for group_id, drawn in sums.items() if group_id in told}


def _drawn(scene: Scene, row: Row, now: datetime) -> Drawn | None:
    """What one session draws; None when it takes no power by its state."""
    key = SessionKey(row.session.id)
    session = scene.known.sessions.find(key)
    if session is None or not session.drawing:
        return None
    reading = scene.known.draw(key, session)
    booked_mw = row.booked.value_at(now)
    if reading.at is None or (now - reading.at).total_seconds() > OLDEST_S:
        return Drawn(booked_mw, Quality.ASSUMED)
    learnt = scene.known.learning.find(key)
    before_limit = learnt is not None and learnt.limit is not None and reading.at < learnt.limit.since
    if before_limit and reading.power_mw > booked_mw:
        return Drawn(booked_mw, Quality.ASSUMED)
    return Drawn(reading.power_mw, reading.quality)
