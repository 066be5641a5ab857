"""Files that are read whole, mapped, or replaced all at once."""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def read_file(path: Path) -> bytes | None:
    """The contents of a file; None when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return None


def map_file(path: Path) -> memoryview | None:
    """A file mapped into memory, usable after its removal; None when it is missing or empty."""
    try:
        with path.open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None


def replace_file(path: Path, chunks: Iterable[ReadableBuffer]) -> None:
    """Writes a file by renaming a draft, so that no reader sees a part of it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as draft:
        try:
            draft.writelines(chunks)
            draft.close()
            Path(draft.name).rename(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise


def make_folder(path: Path) -> None:
    """Creates a folder and its parents, all of which survive a power cut. Raises OSError."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Makes files that were created, renamed or removed in a folder survive a power cut. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_id(path: str) -> tuple[int, int] | None:
    """`(inode, mtime_ns)` of a file, which another file at the same path never has; None without one.

    `path` is a string because this is asked for every page, and a Path takes longer to make than to stat.
    """
    try:
        stat = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return stat.st_ino, stat.st_mtime_ns
