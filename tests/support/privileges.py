"""Files that the process of a test cannot use, as those of another user, even where tests run as root."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

# Without these, root is refused what other users are.
WITHOUT_OVERRIDE = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]


def unprivileged() -> list[str]:
    """The beginning of a command that may not pass over the permissions of files."""
    return WITHOUT_OVERRIDE if os.geteuid() == 0 else []


def lock_up(path: Path) -> None:
    """Makes a file or folder unusable; as root, by giving it to another user."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    path.chmod(0)
