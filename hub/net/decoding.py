"""Content codings of answers, undone piece by piece, so that a small answer that unfolds into a huge one costs no more
memory than a block. The hub asks for no coding at all; some servers compress all the same (T-81).
"""

import zlib

_BLOCK = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_PLAIN = frozenset({"", "identity"})
_KNOWN = frozenset({"gzip", "x-gzip", "deflate"})


def is_plain(coding: str) -> bool:
    """Whether a Content-Encoding value means: nothing to decode."""
    return coding.strip().lower() in _PLAIN


def is_known(coding: str) -> bool:
    """Whether `Inflater` takes a Content-Encoding value."""
    return coding.strip().lower() in _KNOWN


class Inflater:
    """Decodes gzip (also several members in a row) and deflate (with and without the zlib wrapping, both are in use).

    `take` raises zlib.error when the bytes are not what the coding says.
    """

    def __init__(self, coding: str) -> None:
        self._gzip = coding.strip().lower() != "deflate"
        self._engine: zlib._Decompress | None = None
        self._waiting = b""
        self._full = False

    @property
    def complete(self) -> bool:
        """Whether nothing is missing at the end of what was fed so far."""
        return self._engine is None

    def feed(self, raw: bytes) -> None:
        self._waiting += raw

    def take(self) -> bytes:
        """The next decoded bytes, at most a block; empty when it needs to be fed."""
        while self._waiting or self._full:
            engine = self._engine = self._engine or zlib.decompressobj(self._window())
            decoded = engine.decompress(self._waiting, _BLOCK)
            # A full block may leave more of it inside the engine although no input is left.
            self._full = len(decoded) == _BLOCK
            self._waiting = engine.unconsumed_tail
            if engine.eof:
                self._waiting, self._engine, self._full = engine.unused_data, None, False
            if decoded:
                return decoded
        return b""

    def _window(self) -> int:
        if self._gzip:
            return _GZIP
        wrapped = self._waiting[0] & 0x0F == zlib.DEFLATED
        return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
