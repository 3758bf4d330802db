"""What a board remembers, and the figures it goes by."""

from dataclasses import dataclass, field
from datetime import datetime

from plugins.load_manager.dispatch.row import Row
from plugins.load_manager.profiles import StepProfile


@dataclass(frozen=True, slots=True)
class Settings:
    """The figures of dispatch.

    `horizon_s` is how far ahead an increase has to fit. It is the time from now to the ending of a profile that is
    just about to be refreshed, so a profile refreshed in time never shows its ending in it.
    """

    horizon_s: int = 1800
    refresh_s: int = 900
    rise_pause_s: int = 60
    answer_s: int = 30
    most_again: int = 3
    most_rejections: int = 2
    most_ignored: int = 3
    first_backoff_s: int = 60
    most_backoff_s: int = 900
    most_jitter_ms: int = 30_000


@dataclass(slots=True)
class State:
    """All of a board, as plain values: the sessions by id, the limits by node, who is offline, what was told."""

    epoch: int = 1
    rows: dict[str, Row] = field(default_factory=dict)
    limits: dict[str, StepProfile] = field(default_factory=dict)
    offline: list[str] = field(default_factory=list)
    over_since: dict[str, datetime] = field(default_factory=dict)
    deficits_mw: dict[str, int] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
