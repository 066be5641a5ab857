"""Whether a server can use what is in its folder."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

# What a server makes there; anything else, such as `lost+found`, may belong to whoever put it there.
OWN_NAMES = (
    *("better-share.db*", "secret_key", "documents", "documents/sessions", "cache"),
    *("metrics-*", "migrations.lock", "reserve", "searches", "slots"),
)


def unusable(folder: Path) -> str | None:
    """Why a server cannot use its folder, as a sentence for operators; None if it can."""
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return f"DATA_DIR {str(folder)!r} is on a file system that is mounted read-only."
    for path in (folder, *(path for name in OWN_NAMES for path in sorted(folder.glob(name)))):
        needed = os.R_OK | os.W_OK | (os.X_OK if path.is_dir() else 0)
        if not os.access(path, needed, effective_ids=True):
            user = _name(os.geteuid())
            return (
                f"{str(path)!r} belongs to {_name(path.stat().st_uid)}, and {user}, who runs this server, "
                f"cannot read and write it; run 'chown -R {user} {folder}' as root."
            )
    return None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
