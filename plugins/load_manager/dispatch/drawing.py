"""Whether a car keeps to what it was told, by readings of its power.

Rules
- A reading says something when nothing lower was confirmed since ten seconds before it began: charge points take some
  seconds. It is held against the highest that may have been in force from then to its end.
- Above means by more than 5 % and by more than 300 W, which meters and charge points differ by.
- What a car draws above is booked until a newer reading is not above, up to its connector's maximum: a reading beyond
  that is wrong, or the connector is, and neither may pause a whole group.
"""

from datetime import datetime, timedelta

from plugins.load_manager.dispatch.row import Excess, Row, Trouble
from plugins.load_manager.profiles import maximum_over, second

SETTLING = timedelta(seconds=10)
TOLERANCE_PERCENT = 5
TOLERANCE_MW = 300_000


def judge(row: Row, power_mw: int, since: datetime, at: datetime, *, least_mw: int, most_readings: int) -> bool:
    """Takes a reading of the average power from `since` to `at`, which is surely `least_mw`; whether it changes what is
    booked. After so many in a row that were above, a session that has a profile is not controlled.
    """
    from_ = since - SETTLING
    if row.read_at is not None and at <= row.read_at:
        return False
    if row.lowered_at is not None and from_ < row.lowered_at:
        return False
    row.read_at = at
    allowed_mw = maximum_over(row.in_force, second(from_), second(at) + 1)
    drawn_mw, surely_mw = (min(each, row.session.maximum_mw) for each in (power_mw, least_mw))
    before = row.excess
    if surely_mw - allowed_mw <= max(TOLERANCE_MW, allowed_mw * TOLERANCE_PERCENT // 100):
        row.excess = None
        if row.trouble is Trouble.IGNORED:
            row.trouble = None
        return before is not None
    row.excess = Excess(drawn_mw, 1 if before is None else before.readings + 1)
    row.remind = row.remind or before is None
    if row.excess.readings >= most_readings and row.confirmed is not None:
        row.trouble = row.trouble or Trouble.IGNORED
    return True
