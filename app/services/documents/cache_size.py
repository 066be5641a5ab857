"""How much room cached files take on the disk, and which of them go first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# A file takes whole blocks, which `st_blocks` counts in units of 512 bytes, and an inode.
BLOCK_BYTES = 512
INODE_BYTES = 512


def evict_folders(folders: list[Path], max_bytes: int, forget: Callable[[str], None]) -> int:
    """Calls `forget` with the names of the folders that were used longest ago until the others fit.

    Returns the bytes that these take.
    """
    sizes = {folder: folder_size(folder) for folder in folders}
    used_at = {folder: modified_at(folder) for folder in folders}
    total = sum(sizes.values())
    for folder in sorted(folders, key=lambda folder: used_at[folder]):
        if total <= max_bytes:
            break
        forget(folder.name)
        total -= sizes[folder]
    return total


def evict_files(folder: Path, max_bytes: int, may_go: Callable[[str], bool]) -> None:
    """Removes the oldest of the files that may go, by their names, until the folder fits."""
    total = folder_size(folder)
    if total <= max_bytes:
        return
    for path in sorted((path for path in entries(folder) if may_go(path.name)), key=modified_at):
        size = size_on_disk(path)
        with suppress(OSError):
            path.unlink()
            total -= size
        if total <= max_bytes:
            return


def folder_size(folder: Path) -> int:
    return size_on_disk(folder) + sum(size_on_disk(path) for path in entries(folder))


def entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def modified_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0


def size_on_disk(path: Path) -> int:
    try:
        return path.stat().st_blocks * BLOCK_BYTES + INODE_BYTES
    except OSError:
        return 0
