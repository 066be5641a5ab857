"""What worker processes owe each other: to end with their master, and to answer whom they made wait."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def end_with_parent(parent: int) -> None:
    """Has this process terminated when its parent dies, however that happens. Does nothing but on Linux.

    See prctl(2). gunicorn's sync worker looks after its master only between two requests.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)


def answer_waiting(
    listeners: Iterable[socket.socket], accept: Callable[[socket.socket], None], seconds: float
) -> None:
    """Accepts the connections that wait in the queues of non-blocking listeners, and closes these.

    Goes on for at most `seconds`. When the last process closes a listener, the kernel resets whoever waits
    by then, so nothing may come between the look into an empty queue and the closing.
    """
    ends_at = time.monotonic() + seconds
    for listener in listeners:
        with suppress(OSError):
            while time.monotonic() < ends_at:
                accept(listener)
        listener.close()


def wait_for_port(address: tuple[str, int], seconds: float, on_wait: Callable[[], None]) -> bool:
    """Waits until a TCP address can be bound. Returns False if it is still in use after `seconds`.

    `on_wait` is called once, if there is something to wait for.
    """
    ends_at = time.monotonic() + seconds
    is_waiting = False
    while not _can_bind(address):
        if time.monotonic() > ends_at:
            return False
        if not is_waiting:
            is_waiting = True
            on_wait()
        time.sleep(0.1)
    return True


def _can_bind(address: tuple[str, int]) -> bool:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return True
