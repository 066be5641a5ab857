"""Large data in chunks, so that sending, encoding or searching it needs no second copy of the whole."""

from __future__ import annotations

from collections.abc import Iterator

# Small, because zlib copies what it has not consumed at every call.
CHUNK_BYTES = 64 * 1024


def chunks(data: bytes | bytearray | memoryview) -> Iterator[bytes]:
    """The data as bytes objects of CHUNK_BYTES, of which the last one may be shorter."""
    view = memoryview(data)
    return (bytes(view[start : start + CHUNK_BYTES]) for start in range(0, len(view), CHUNK_BYTES))
