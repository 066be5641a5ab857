"""Files that are replaced all at once, and read whole or mapped; damage to them is noticed."""

from __future__ import annotations

import mmap
import os
import struct
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from xxhash import xxh3_64, xxh3_64_intdigest

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Length and XXH3 of the content.
_HEADER = struct.Struct(">QQ")


class DamagedFile(Exception):
    """A file is not as it was written, after a power cut or on a bad disk."""


def read_checked(path: Path) -> bytes | None:
    """What `write_checked` wrote; None if the file cannot be read. Raises DamagedFile."""
    try:
        # With a buffer, the rest of the file would be copied once more.
        with path.open("rb", buffering=0) as file:
            header = file.read(_HEADER.size)
            content = file.readall()
    except OSError:
        return None
    if header != _header(content):
        raise DamagedFile(path.name)
    return content


def map_checked(path: Path) -> memoryview | None:
    """As `read_checked`, mapped into memory, so that only what is used of it is read twice."""
    content = map_file(path)
    if content is None:
        return None
    header, content = content[: _HEADER.size], content[_HEADER.size :]
    if bytes(header) != _header(content):
        raise DamagedFile(path.name)
    return content


def write_checked(path: Path, chunks: Iterable[ReadableBuffer]) -> None:
    """Replaces a file, with the length and a checksum of the chunks before them. Raises OSError."""
    digest, size = xxh3_64(), 0
    with _draft(path) as draft:
        # Both are known when everything is written.
        draft.write(bytes(_HEADER.size))
        for chunk in chunks:
            digest.update(chunk)
            size += draft.write(chunk)
        draft.seek(0)
        draft.write(_HEADER.pack(size, digest.intdigest()))


def checksum(data: ReadableBuffer) -> int:
    """XXH3 of some bytes, 64 bits: faster than memory, and no protection against intent."""
    return xxh3_64_intdigest(data)


def map_file(path: Path) -> memoryview | None:
    """A file mapped into memory, usable after its removal; None when it is missing or empty."""
    try:
        with path.open("rb") as file:
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):
        return None


def replace_file(path: Path, chunks: Iterable[ReadableBuffer]) -> None:
    """Writes a file by renaming a draft, so that no reader sees a part of it. Raises OSError."""
    with _draft(path) as draft:
        draft.writelines(chunks)


def write_durably(path: Path, chunks: Iterable[ReadableBuffer]) -> None:
    """As `replace_file`, and the new file survives a power cut. Raises OSError."""
    make_folder(path.parent)
    with _draft(path) as draft:
        draft.writelines(chunks)
        draft.flush()
        os.fsync(draft.fileno())
    sync_folder(path.parent)


def spool(pieces: Sequence[bytes | memoryview], max_bytes: int) -> Callable[[], bytes]:
    """Joins bytes, on disk if they are more than `max_bytes`; what it returns reads them, once.

    Before, the caller can free what they came from, which needs as much memory again.
    """
    if sum(map(len, pieces)) <= max_bytes:
        joined = b"".join(pieces)
        return lambda: joined
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the reader
    try:
        file.writelines(pieces)
    except OSError:
        file.close()
        return spool(pieces, sys.maxsize)

    def read() -> bytes:
        with file:
            file.seek(0)
            return file.read()

    return read


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


@contextmanager
def _draft(path: Path) -> Iterator[IO[bytes]]:
    """A file that becomes the one at `path` when everything was written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as draft:
        try:
            yield draft
            draft.close()
            Path(draft.name).rename(path)
        except BaseException:
            Path(draft.name).unlink(missing_ok=True)
            raise


def _header(content: ReadableBuffer) -> bytes:
    return _HEADER.pack(memoryview(content).nbytes, xxh3_64_intdigest(content))
