"""How much time sessions have to spare, how much power they need to be ready in time, and whose turn is first."""

import numpy as np

from plugins.load_manager.allocation.arrays import Bools, Floats, Ints
from plugins.load_manager.allocation.sessions import Sessions

UNKNOWN_LAXITY_H = 4.0
MAX_LAXITY_H = 1_000.0
NEED_FACTOR = 1.2  # floors lie a fifth above what is needed on average: what is left for later may be lost to others
MIN_DEPARTURE_H = 1 / 60
STARVED_AFTER_H = 0.5
STARVED_LAXITY_H = 1.0


def known(sessions: Sessions) -> Bools:
    """Those that said both how much they need and until when, or for whom a prior says so."""
    return ~(np.isnan(sessions.need_kwh) | np.isnan(sessions.departure_h))


def laxity_h(sessions: Sessions, maximum_mw: Ints) -> Floats:
    """Hours a session could do nothing and still get its need at full power, within `MAX_LAXITY_H` either way; 4 when
    that is not known.
    """
    full_kw = np.maximum(maximum_mw, 1) / 1e6
    left_h = np.maximum(sessions.departure_h, 0.0) - np.maximum(sessions.need_kwh, 0.0) / full_kw
    return np.where(known(sessions), np.clip(left_h, -MAX_LAXITY_H, MAX_LAXITY_H), UNKNOWN_LAXITY_H)


def need_mw(sessions: Sessions, minimum_mw: Ints, maximum_mw: Ints) -> Ints:
    """The floor a session asks for: somewhat more than what it needs on average until it leaves, within its bounds; its
    minimum when that is not known or when it has all it wanted.
    """
    departure_h = np.maximum(sessions.departure_h, MIN_DEPARTURE_H)
    asked_mw = NEED_FACTOR * 1e6 * np.maximum(sessions.need_kwh, 0.0) / departure_h
    asked_mw = np.where(known(sessions) & ~sessions.satisfied, np.minimum(asked_mw, maximum_mw), 0.0)
    return np.maximum(asked_mw.astype(np.int64), minimum_mw)


def turn(sessions: Sessions, laxity: Floats) -> Ints:
    """Indexes, the most urgent first.

    Those switched on a short while ago come before all, so that cars are not switched to and fro; then those that have
    waited too long; then by time to spare, less two hours for every hour of waiting. Among equals, whoever has been on
    for longest makes room.
    """
    fresh = sessions.on & (sessions.on_h < sessions.min_on_h)
    pressed = ~known(sessions) | (laxity < STARVED_LAXITY_H)
    starved = ~sessions.on & (sessions.waiting_h > STARVED_AFTER_H) & pressed
    rank = np.where(fresh, 0, np.where(starved, 1, 2))
    score = laxity - 2.0 * sessions.waiting_h * ~sessions.on - 0.4 * sessions.on
    return np.lexsort((sessions.key, sessions.arrived_s, sessions.on_h * sessions.on, score, rank))
