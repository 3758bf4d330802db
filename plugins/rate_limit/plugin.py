"""The plugin: one question per request, answered at once."""

from collections.abc import Iterable
from typing import Any

from hub.ocpi.headers import RETRY_AFTER
from hub.ocpi.status import StatusCode
from hub.plugin import Exchange, Health, HubApi, Panel, Phase, Plugin, Reject, Watch
from plugins.rate_limit.bucket import Bucket, Buckets, Place
from plugins.rate_limit.config import RateLimitConfig


class RateLimit(Plugin[RateLimitConfig]):
    """Refuses with HTTP 429 what a platform sends to a module above its figure."""

    name = "rate_limit"
    Config = RateLimitConfig

    def __init__(self, config: RateLimitConfig, hub: HubApi) -> None:
        super().__init__(config, hub)
        self._buckets = Buckets()
        self._rejected = hub.counter("rejected", "Requests refused because of their number.", ["module"])

    def watches(self) -> Iterable[Watch]:
        if not self.config.limits_nobody:
            yield Watch(frozenset({Phase.RECEIVED}), modules=self.config.limited_modules)

    def on_received(self, exchange: Exchange) -> Reject | None:
        if exchange.platform is None:  # nobody knows the caller, so the hub refuses it without help
            return None
        place = Place(exchange.platform, exchange.module)
        now_ns = self._now_ns()
        bucket = self._buckets.find(place)
        if bucket is None:
            limit = self.config.limit(*place)
            if limit is None:
                return None
            bucket = Bucket(limit, now_ns)
            self._buckets.add(place, bucket, now_ns)
        if bucket.take(now_ns):
            return None
        self._rejected.add(module=place.module)
        wait_s = bucket.wait_s(now_ns)
        return Reject(
            StatusCode.CLIENT_ERROR,
            f"More than {bucket.limit.per_minute} requests a minute to {place.module}: wait {wait_s} s, or ask the "
            "operator of the hub for more",
            http=429,
            headers={RETRY_AFTER: str(wait_s)},
        )

    def export_state(self) -> dict[Place, Bucket]:
        return dict(self._buckets.items())

    def import_state(self, state: Any) -> None:
        """Goes on where the instance before was. Under a changed figure the same share of it is used."""
        now_ns = self._now_ns()
        for place, bucket in state.items():
            limit = self.config.limit(*place)
            if limit is not None:
                self._buckets.add(place, bucket.under(limit, now_ns), now_ns)

    def panels(self) -> Iterable[Panel]:
        columns = ("platform", "module", "per minute", "refused so far", "next request in s")
        yield Panel("Over their limit now", columns, self._limited)

    def health(self) -> Health:
        if self.config.limits_nobody:
            return Health(text="No limit is set")
        limited = len(self._limited())
        text = f"{limited} over their limit now" if limited else "Nobody is over their limit"
        return Health(text=text, facts={"limited": limited, "buckets": len(self._buckets)})

    def _limited(self) -> list[tuple[object, ...]]:
        """Rows of the panel: whose next request would be refused."""
        now_ns = self._now_ns()
        waits = ((place, bucket, bucket.wait_s(now_ns)) for place, bucket in self._buckets.items())
        return [(*place, bucket.limit.per_minute, bucket.refused, wait_s) for place, bucket, wait_s in waits if wait_s]

    def _now_ns(self) -> int:
        return round(self.hub.monotonic() * 1_000_000_000)
