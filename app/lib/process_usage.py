"""What the processes of a server use, as Linux counts it in `/proc` (proc(5))."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
# Fields of /proc/<pid>/stat after the name of the program, counted from 0.
USER_TICKS, SYSTEM_TICKS, CHILD_USER_TICKS, CHILD_SYSTEM_TICKS, THREADS = 11, 12, 13, 14, 17


@dataclass
class Usage:
    """The use of several processes; `cpu_seconds` has that of their children which have ended.

    Memory that processes share counts once.
    """

    processes: int = 0
    cpu_seconds: float = 0
    memory_bytes: int = 0
    threads: int = 0
    open_files: int = 0


def family_of(parent: int) -> list[int]:
    """A process and its children; none where there is no `/proc`."""
    try:
        children = (PROC / f"{parent}/task/{parent}/children").read_text()
    except OSError:
        return []
    return [parent, *map(int, children.split())]


def usage_of(pids: list[int]) -> Usage:
    """What the processes use together, without those that have ended."""
    usage = Usage()
    for pid in pids:
        with suppress(OSError, ValueError):
            _add(usage, PROC / str(pid))
    return usage


def _add(usage: Usage, folder: Path) -> None:
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    files = len(list((folder / "fd").iterdir()))
    memory = _proportional_set_size((folder / "smaps_rollup").read_text())
    ticks = (USER_TICKS, SYSTEM_TICKS, CHILD_USER_TICKS, CHILD_SYSTEM_TICKS)
    usage.processes += 1
    usage.cpu_seconds += sum(int(fields[number]) for number in ticks) / os.sysconf("SC_CLK_TCK")
    usage.memory_bytes += memory
    usage.threads += int(fields[THREADS])
    usage.open_files += files


def _proportional_set_size(text: str) -> int:
    line = next(line for line in text.splitlines() if line.startswith("Pss:"))
    return int(line.split()[1]) * 1024
