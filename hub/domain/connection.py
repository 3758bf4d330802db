"""Whether a platform is there: a state machine fed by evidence from legs, inbound messages and probes (R-154 to R-156,
ruling 18).

Rules
- Failures count at most once per `spacing_s`; `limit` of them in a row make the platform OFFLINE.
- Anything heard from the platform resets the count.
- OFFLINE ends with a successful probe, or with any valid inbound message; but a second return by message alone within
  `settle_s` of the last one is not believed until a probe succeeds (a platform that sends yet cannot be reached).
- A probe is due when nothing was heard for `idle_s`, after a failure each `spacing_s`, and while OFFLINE each
`offline_s`.
Times are seconds of one monotonic clock.
"""

from dataclasses import dataclass, field

NEVER = float("-inf")


@dataclass(slots=True)
class Liveness:
    """The state of one platform, known `since` a moment. Methods return True when the status flipped."""

    idle_s: float
    spacing_s: float
    online: bool = True
    offline_s: float = 60.0
    settle_s: float = 60.0
    limit: int = 3
    since: float = NEVER
    heard_at: float = field(default=NEVER, init=False)
    failures: int = field(default=0, init=False)
    failed_at: float = field(default=NEVER, init=False)
    returned_at: float = field(default=NEVER, init=False)
    probed_at: float = field(default=NEVER, init=False)

    def heard(self, now: float) -> bool:
        """A valid message came in from the platform, or it answered a leg."""
        self.heard_at = now
        self.failures = 0
        if self.online or now - self.returned_at < self.settle_s:
            return False
        return self._return(now)

    def failed(self, now: float) -> bool:
        """A connection to the platform failed, or a probe did."""
        if now - self.failed_at < self.spacing_s:
            return False
        self.failed_at = now
        self.failures += 1
        if not self.online or self.failures < self.limit:
            return False
        self.online = False
        return True

    def probed(self, now: float, *, succeeded: bool) -> bool:
        """A probe ended."""
        self.probed_at = now
        if not succeeded:
            return self.failed(now)
        self.heard_at = now
        self.failures = 0
        return False if self.online else self._return(now)

    def said(self, now: float, *, online: bool) -> bool:
        """The hub knows by itself, because the party is played inside it."""
        if online:
            self.heard_at = now
            self.failures = 0
        if online is self.online:
            return False
        self.online = online
        return True

    def probe_due(self, now: float) -> bool:
        if not self.online:
            return now - self.probed_at >= self.offline_s
        if self.failures:
            return now - max(self.probed_at, self.failed_at) >= self.spacing_s
        return now - max(self.heard_at, self.probed_at, self.since) >= self.idle_s

    def _return(self, now: float) -> bool:
        self.online = True
        self.returned_at = now
        return True
