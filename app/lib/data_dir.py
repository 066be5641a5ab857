"""The folder of a server: whether it can be used, and who else can read it."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

# What a server makes there; anything else, such as `lost+found`, may belong to whoever put it there.
OWN_NAMES = (
    *("better-share.db*", "secret_key", "documents", "documents/sessions", "cache"),
    *("metrics-*", "migrations.lock", "reserve", "searches", "slots"),
)


# What a process makes is for its user only.
PRIVATE_UMASK = 0o077


def act_as_owner(folder: Path) -> None:
    """Makes a process of root one of the owner of `folder`, who could not use what root makes there.

    Raises PermissionError if that user may not read the modules of this Python.
    """
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        return
    try:
        os.initgroups(pwd.getpwuid(owner.st_uid).pw_name, owner.st_gid)
    except KeyError:
        os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)
    if not os.access(os.__file__, os.R_OK):
        raise PermissionError(
            f"{str(folder)!r} belongs to {_name(owner.st_uid)}, who may not use {sys.executable}"
        )


def make_private(folder: Path, files: Iterable[Path]) -> Iterator[str]:
    """Takes the rights of others to a folder and to those of the files that exist.

    Yields a sentence for each whose rights cannot be changed.
    """
    for path in (folder, *files):
        if not path.exists() or not path.stat().st_mode & PRIVATE_UMASK:
            continue
        try:
            path.chmod(path.stat().st_mode & ~PRIVATE_UMASK)
        except OSError as error:
            yield f"{str(path)!r} can be read by others, which cannot be changed: {error.strerror}."


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
