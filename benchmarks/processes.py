"""What Linux counts of processes: CPU time and memory."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
KB = 1_000
MB = 1_000_000
IDLE_SECONDS = 0.3
MAX_WAIT_SECONDS = 60


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time that the processes have used so far."""
    ticks = 0
    for pid in pids:
        # The second field is a name in brackets, and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_SECOND


def peak_bytes(pid: int) -> int:
    """The most resident memory that the process ever had."""
    return _bytes(pid, "status", "VmHWM")


def held_bytes(pid: int) -> int:
    """The memory of the process now, what it shares counted in part (Pss)."""
    return _bytes(pid, "smaps_rollup", "Pss")


def wait_until_idle(pids: Sequence[int]) -> None:
    """Returns when the processes have used no CPU for a moment."""
    deadline = time.monotonic() + MAX_WAIT_SECONDS
    before = -1.0
    while time.monotonic() < deadline and (now := cpu_seconds(pids)) != before:
        before = now
        time.sleep(IDLE_SECONDS)


def _bytes(pid: int, file: str, name: str) -> int:
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.removesuffix(" kB")) * 1024
    raise KeyError(name)
