"""The documents to measure with, packed as the plugin uploads them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sessions import Shape, grow, write_session
from benchmarks.yardsticks import decode_seconds

GZIP_LEVEL = 6


@dataclass(frozen=True)
class Prepared:
    """A session to measure: its document as the plugin uploads it, and as it is after one step more."""

    size_name: str
    shape: Shape
    size: int
    last_id: str
    packed: Path
    grown_id: str
    grown_packed: Path
    decode_seconds: float

    @property
    def share_id(self) -> str:
        return f"bench-{self.size_name.replace('.', '-')}-{self.shape}"


def prepare(folder: Path, size_name: str, size: int, shape: Shape) -> Prepared:
    """Makes both documents; only their packed forms stay in `folder`."""
    session = write_session(folder / "session.json", size, shape)
    grown = grow(session, folder / "grown.json")
    packed = _pack(session.path, folder / f"{size_name}-{shape}.gz")
    grown_packed = _pack(grown.path, folder / f"{size_name}-{shape}-grown.gz")
    return Prepared(
        size_name,
        shape,
        session.size,
        session.last_id,
        packed,
        grown.last_id,
        grown_packed,
        decode_seconds(packed),
    )


def _pack(source: Path, target: Path) -> Path:
    target.write_bytes(gzip.compress(source.read_bytes(), GZIP_LEVEL, mtime=0))
    source.unlink()
    return target
