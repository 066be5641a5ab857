"""Disks that are small, full, read-only, or lose their power; mounting them takes root."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import pytest

MEGABYTE = 1024 * 1024


def require_mounts() -> None:
    """Skips the test where file systems may not be mounted, in CI too: containers often forbid it."""
    if not _can_mount():
        pytest.skip("mounts: run the tests as root, where file systems may be mounted")


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system in memory of that size, mounted at `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder)
    try:
        yield folder
    finally:
        _run("umount", "--lazy", folder)


@contextmanager
def mounted_read_only(folder: Path) -> Iterator[None]:
    """Changes how a disk is mounted, as the kernel does after errors of a real one."""
    _run("mount", "-o", "remount,ro", folder)
    try:
        yield
    finally:
        _run("mount", "-o", "remount,rw", folder)


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """Leaves no byte free on the disk of `folder` until the block ends."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        for size in (MEGABYTE, 4096, 1):
            with suppress(OSError):
                while file.write(bytes(size)) == size:
                    pass
    try:
        yield
    finally:
        path.unlink()


class PowerCut:
    """An ext4 file system in an image; what is in the image is what a power cut would leave of it."""

    def __init__(self, folder: Path, megabytes: int = 64) -> None:
        self._image = folder / "disk.img"
        self._copy = folder / "disk-after-power-cut.img"
        self.mounted_at = folder / "disk"
        with self._image.open("wb") as file:
            file.truncate(megabytes * MEGABYTE)
        _run("/sbin/mkfs.ext4", "-q", "-F", self._image)
        # Data is written late, so that only what was synced is in the image for sure.
        self._mount("data=writeback,commit=600,noauto_da_alloc")

    def _mount(self, options: str) -> None:
        self.mounted_at.mkdir(exist_ok=True)
        _run("mount", "-o", f"loop,{options}", self._image, self.mounted_at)

    def cut(self) -> None:
        """Remembers what has reached the disk by now; processes that write to it must be stopped."""
        shutil.copy(self._image, self._copy)

    def restore(self) -> None:
        """Mounts the disk as it was when the power went; nothing may have files of it open."""
        _run("umount", self.mounted_at)
        self._copy.rename(self._image)
        self._mount("defaults")

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", self.mounted_at], check=False)


@cache
def _can_mount() -> bool:
    if os.geteuid() or not shutil.which("mount") or not Path("/sbin/mkfs.ext4").exists():
        return False
    with tempfile.TemporaryDirectory() as folder:
        try:
            with small_disk(Path(folder) / "disk", 1):
                power_cut = PowerCut(Path(folder), megabytes=8)
                power_cut.close()
        except subprocess.CalledProcessError:
            return False
    return True


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)
