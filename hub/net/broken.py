"""What becomes of a request whose connection fails after it went out, told apart as far as the forwarder must know."""

import re

from aiohttp import ClientError, ClientOSError, ServerDisconnectedError

# In TLS 1.3 the client is done before the server has judged its certificate, so the refusal comes after the request.
_CERTIFICATE_ALERT = re.compile(r"ALERT_[A-Z_]*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)")


class Broken(ClientError):
    """The connection broke after the request went out. `silent`: before any byte of an answer had come; `refused`: the
    peer's TLS ended it over the client certificate, before it let any request through.
    """

    def __init__(self, *, silent: bool, refused: bool = False) -> None:
        super().__init__("the connection broke")
        self.silent = silent
        self.refused = refused


class NotHttp(ClientError):
    """What came back is not an HTTP answer."""


def broken(error: OSError | ServerDisconnectedError) -> Broken:
    """The same for every way aiohttp has of saying that a connection is gone."""
    if isinstance(error, ServerDisconnectedError):
        # The message is what had been parsed of an answer when there was one, and a text when there was not.
        return Broken(silent=isinstance(error.message, str))
    reason = error.strerror or "" if isinstance(error, ClientOSError) else ""
    return Broken(silent=True, refused=_CERTIFICATE_ALERT.search(reason) is not None)
