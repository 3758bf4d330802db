"""Decoding in pieces gives what was encoded, however it is cut."""

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from hub.net.decoding import Inflater


def decoded(inflater: Inflater, pieces: list[bytes]) -> bytes:
    blocks = []
    for piece in pieces:
        inflater.feed(piece)
        while block := inflater.take():
            blocks.append(block)
    return b"".join(blocks)


@given(
    st.lists(st.binary(max_size=3000).map(lambda part: part * 200), max_size=3),
    st.sampled_from(["gzip", "deflate"]),
    st.integers(1, 5000),
)
def test_any_cut_of_any_body(parts: list[bytes], coding: str, cut: int) -> None:
    packed = b"".join(map(gzip.compress, parts)) if coding == "gzip" else zlib.compress(b"".join(parts))
    inflater = Inflater(coding)

    assert decoded(inflater, [packed[at : at + cut] for at in range(0, len(packed), cut)]) == b"".join(parts)
    assert inflater.complete


@given(st.binary(min_size=100, max_size=5000), st.integers(1, 50))
def test_what_is_missing_is_noticed(body: bytes, missing: int) -> None:
    inflater = Inflater("gzip")

    decoded(inflater, [gzip.compress(body)[:-missing]])

    assert not inflater.complete


def test_no_block_is_large() -> None:
    inflater = Inflater("gzip")
    inflater.feed(gzip.compress(bytes(10_000_000)))
    sizes = []
    while block := inflater.take():
        sizes.append(len(block))

    assert sum(sizes) == 10_000_000
    assert max(sizes) <= 256 * 1024
