"""Short ways to say what is sent and over which pool."""

from hub.net.forwarder import Wire, WireRequest

WIRE = Wire("platform", in_flight=100)


def get(
    url: str,
    *,
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
    timeout_s: float = 5.0,
    max_body: int = 1_000_000,
    stream_above: int = 200_000,
) -> WireRequest:
    return WireRequest(method, url, headers or {}, body, timeout_s, max_body, stream_above)
