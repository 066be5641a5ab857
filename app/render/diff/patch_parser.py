"""Parses patches: unified diffs as git and OpenCode write them, and those of the apply_patch tool.

Malformed input gives fewer files or rows, never an exception. The format of apply_patch is that of OpenAI's
Codex: `*** Begin Patch`, `*** Update File: <path>`, hunks that begin with `@@` and have no line numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from app.render.diff.model import KINDS, FileDiff, Hunk, Rows, Status

RANGES = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
NOWHERE = "/dev/null"
# Of characters: git has six digits.
MAX_MODE = 10
BINARY = re.compile(r"Binary files (.+) and (.+) differ$")


def read_patch(patch: str) -> list[FileDiff]:
    """The files of a unified diff."""
    reader = _Reader()
    for line in patch.removesuffix("\n").split("\n"):
        reader.read(line)
    return [draft.file() for draft in reader.drafts if draft.is_file]


def read_apply_patch(text: str) -> list[FileDiff]:
    """The files of a patch between `*** Begin Patch` and `*** End Patch`; it has no line numbers."""
    files: list[FileDiff] = []
    rows: Rows | None = None
    for line in text.split("\n"):
        if line.startswith("*** End Patch"):
            break
        order, _, path = line.strip().partition(": ")
        if order in APPLY_ORDERS:
            files.append(FileDiff(path, status=APPLY_ORDERS[order]))
            rows = None
        elif not files:
            continue
        elif order == "*** Move to":
            file = files[-1]
            file.path, file.old_path, file.status = path, file.old_path or file.path, "renamed"
        elif line.startswith("@@"):
            rows = _started(files[-1], line, None, None)
        elif line[:1] in KINDS:
            rows = rows or _started(files[-1], "", None, 1 if files[-1].status == "added" else None)
            rows.add(KINDS[line[0]], line[1:])
    return files


APPLY_ORDERS: dict[str, Status] = {
    "*** Add File": "added",
    "*** Update File": "modified",
    "*** Delete File": "deleted",
}


def _started(file: FileDiff | _Draft, header: str, old_start: int | None, new_start: int | None) -> Rows:
    hunk = Hunk(header)
    file.hunks.append(hunk)
    return Rows(hunk, old_start, new_start)


@dataclass
class _Draft:
    """A file of a patch that is being read."""

    old: str = ""
    new: str = ""
    status: Status | None = None
    hunks: list[Hunk] = field(default_factory=list)
    ranges: list[tuple[int, int, int, int]] = field(default_factory=list)
    has_begun: bool = False
    old_mode: str = ""
    facts: list[str] = field(default_factory=list)

    @property
    def is_file(self) -> bool:
        return bool(self.hunks or (self.old and self.new))

    def file(self) -> FileDiff:
        old, new = self._names()
        status = self.status or self._status(old, new)
        return FileDiff(
            path=old if new == NOWHERE else new or old,
            old_path=old if status == "renamed" else None,
            status=status,
            hunks=self.hunks,
            facts=self.facts,
        )

    def _names(self) -> tuple[str, str]:
        """Both names, without the `a/` and `b/` that git puts before them."""
        has_prefixes = all(
            name == NOWHERE or name.startswith(prefix)
            for name, prefix in ((self.old, "a/"), (self.new, "b/"))
        )
        if not has_prefixes:
            return self.old, self.new
        return (
            self.old if self.old == NOWHERE else self.old[2:],
            self.new if self.new == NOWHERE else self.new[2:],
        )

    def _status(self, old: str, new: str) -> Status:
        # OpenCode writes the same name on both sides of a new file; only the range shows that it is new.
        only = self.ranges[0] if len(self.ranges) == 1 else (1, 1, 1, 1)
        if old == NOWHERE or only[:2] == (0, 0):
            return "added"
        if new == NOWHERE or only[2:] == (0, 0):
            return "deleted"
        return "renamed" if old and new and old != new else "modified"


class _Reader:
    """Reads a patch line by line: within a hunk as many rows as its ranges announce, elsewhere headers."""

    def __init__(self) -> None:
        self.drafts = [_Draft()]
        self._rows: Rows | None = None
        self._old_left = 0
        self._new_left = 0

    def read(self, line: str) -> None:
        if self._rows and self._add(line, self._rows):
            return
        self._rows = None
        draft = self.drafts[-1]
        word, _, rest = line.partition(" ")
        if word == "diff" or word == "Index:":
            self.drafts.append(_Draft(*_git_names(rest)))
        elif word == "---":
            if draft.has_begun:
                draft = _Draft()
                self.drafts.append(draft)
            draft.has_begun, draft.old = True, _name(rest)
        elif word == "+++":
            draft.new = _name(rest)
        elif line.startswith("@@"):
            self._begin(draft, line)
        elif line.startswith("new file mode"):
            draft.status = "added"
            if line.strip().endswith("755"):
                draft.facts.append("executable")
        elif line.startswith("deleted file mode"):
            draft.status = "deleted"
        elif line.startswith("rename from "):
            draft.status, draft.old = "renamed", "a/" + _name(rest.removeprefix("from "))
        elif line.startswith("rename to "):
            draft.new = "b/" + _name(rest.removeprefix("to "))
        elif line.startswith("old mode "):
            draft.old_mode = rest.removeprefix("mode ").strip()[:MAX_MODE]
        elif line.startswith("new mode "):
            draft.facts.append(f"mode {draft.old_mode} → {rest.removeprefix('mode ').strip()[:MAX_MODE]}")
        elif binary := BINARY.match(line.rstrip("\r")):
            draft.old, draft.new = draft.old or _name(binary[1]), draft.new or _name(binary[2])
            draft.facts.append("binary")
        elif line.startswith("GIT binary patch"):
            draft.facts.append("binary")

    def _begin(self, draft: _Draft, line: str) -> None:
        match = RANGES.match(line)
        if not match:
            self._rows = _started(draft, line, None, None)
            self._old_left = self._new_left = 0
            return
        old_start, new_start = int(match[1]), int(match[3])
        self._old_left, self._new_left = int(match[2] or 1), int(match[4] or 1)
        draft.ranges.append((old_start, self._old_left, new_start, self._new_left))
        self._rows = _started(draft, line, old_start, new_start)

    def _add(self, line: str, rows: Rows) -> bool:
        """Adds a line to the hunk. Returns False if it does not belong there."""
        if line.startswith("\\"):
            rows.end_without_newline()
            return True
        is_announced = self._old_left > 0 or self._new_left > 0
        is_header = line.startswith(("--- ", "+++ ")) or line == "-- "
        # Some tools strip the space of an empty line.
        kind = KINDS.get(line[:1].strip("\r") or " ") if is_announced else KINDS.get(line[:1])
        if kind is None or (is_header and not is_announced):
            return False
        rows.add(kind, line[1:])
        self._old_left -= kind != "added"
        self._new_left -= kind != "removed"
        return True


def _git_names(rest: str) -> tuple[str, str]:
    """Both names of a `diff --git a/x b/x` line, for files without a `---` line; empty for other lines."""
    old, middle, new = rest.removeprefix("--git ").partition(" b/")
    return (_name(old), "b/" + new) if middle and rest.startswith("--git ") else ("", "")


def _name(word: str) -> str:
    """A name without the time that may follow it and without git's quotes."""
    name = word.partition("\t")[0].rstrip("\r")
    if len(name) < 2 or not (name.startswith('"') and name.endswith('"')):
        return name
    try:
        # git writes the bytes of unusual names as \303\251, inside quotes.
        return (
            name[1:-1].encode("latin-1").decode("unicode_escape").encode("latin-1").decode("utf-8", "replace")
        )
    except UnicodeError:
        return name
