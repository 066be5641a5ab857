"""What a session changed as one patch that `git apply` takes.

Documents have diffs with the headers of whichever tool wrote them, or with none; here they get those of git.
Several diffs of one file follow each other, and git applies them in this order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from app.opencode.changes.changes import Patch
from app.opencode.changes.record import FileRecord

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
# git changes nothing outside of the folder that it is in, and none of its own files.
_REFUSED = re.compile(r"(?:^|/)(?:\.\.|\.git)(?:/|$)|^/|^[A-Za-z]:|\\|^$", re.IGNORECASE)
_QUOTED = re.compile(r'[\x00-\x1f"\x7f]')
# Of a line in a hunk: how many lines of the old and of the new file it is.
_SIDES = {" ": (1, 1), "": (1, 1), "-": (1, 0), "+": (0, 1), "\\": (0, 0)}


class _Unreadable(Exception):
    """A diff is not one of whole hunks."""


def git_patch(files: Iterable[FileRecord]) -> Iterator[bytes]:
    """The patch in chunks. A line for each file of which there is no such diff comes in its place."""
    for file in files:
        try:
            yield _file_patch(file).encode(errors="replace")
        except _Unreadable:
            # git skips what is no diff.
            yield f"# Not in this patch: {_QUOTED.sub('?', file.path)}\n".encode(errors="replace")


def _file_patch(file: FileRecord) -> str:
    if _REFUSED.search(file.path) or not file.count:
        raise _Unreadable
    return "".join(_diff(file.path, patch) for patch in file.read_patches())


def _diff(path: str, patch: Patch) -> str:
    hunks = _hunks(patch.text)
    old_path = _moved_from(patch)
    old, new = _quoted(f"a/{old_path or path}"), _quoted(f"b/{path}")
    head = f"diff --git {old} {new}\n"
    first = _HUNK.match(hunks[0])
    if old_path:
        head += f"rename from {_quoted(old_path)}\nrename to {_quoted(path)}\n"
    elif first and first.group(1, 2) == ("0", "0"):
        head += "new file mode 100644\n"
        old = "/dev/null"
    elif first and first.group(3, 4) == ("0", "0"):
        head += "deleted file mode 100644\n"
        new = "/dev/null"
    return "\n".join([f"{head}--- {old}", f"+++ {new}", *hunks, ""])


def _moved_from(patch: Patch) -> str:
    """The earlier path, if a call moved the file and no prompt records that as two files."""
    old_path = next((edit.old_path for edit in patch.edits if edit.text is None), "")
    if old_path and _REFUSED.search(old_path):
        raise _Unreadable
    return old_path


def _hunks(text: str) -> list[str]:
    """The lines of the hunks of a diff, without what is before and between them."""
    found: list[str] = []
    old = new = 0
    for line in text.removesuffix("\n").split("\n"):
        if old or new or (found and line.startswith("\\")):
            sides = _SIDES.get(line[:1])
            if sides is None:
                raise _Unreadable
            old, new = old - sides[0], new - sides[1]
            found.append(line or " ")
        elif hunk := _HUNK.match(line):
            old, new = (int(count or 1) for count in hunk.group(2, 4))
            found.append(line)
        if min(old, new) < 0:
            raise _Unreadable
    if old or new or not found:
        raise _Unreadable
    return found


def _quoted(name: str) -> str:
    """A name as git writes it: in quotes with octal escapes if it has to be."""
    if not _QUOTED.search(name):
        return name
    escaped = _QUOTED.sub(lambda match: f"\\{ord(match[0]):03o}", name)
    return f'"{escaped}"'
