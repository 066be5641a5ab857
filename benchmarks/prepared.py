"""The documents to measure with, gzip-encoded as in a store."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sessions import Growth, Shape, grow, write_session

GZIP_LEVEL = 6


@dataclass(frozen=True)
class Prepared:
    """A session to measure: its document, and the changes that make it one step longer."""

    size_name: str
    shape: Shape
    size: int
    last_id: str
    packed: Path
    growth: Growth

    @property
    def share_id(self) -> str:
        return f"bench-{self.size_name.replace('.', '-')}-{self.shape}"


def prepare(folder: Path, size_name: str, size: int, shape: Shape) -> Prepared:
    """Makes the document, of which only the packed form stays in `folder`."""
    session = write_session(folder / "session.json", size, shape)
    growth = grow(session)
    packed = _pack(session.path, folder / f"{size_name}-{shape}.gz")
    return Prepared(size_name, shape, session.size, session.last_id, packed, growth)


def _pack(source: Path, target: Path) -> Path:
    target.write_bytes(gzip.compress(source.read_bytes(), GZIP_LEVEL, mtime=0))
    source.unlink()
    return target
