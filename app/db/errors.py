"""What an error of the database means."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError


def is_disk_full(error: DBAPIError) -> bool:
    """Whether SQLite found no room on the disk (SQLITE_FULL)."""
    return "disk is full" in str(error.orig)
