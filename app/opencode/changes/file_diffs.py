"""Reads what a document records about a changed file, in every spelling that OpenCode has used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
from msgspec import Raw

from app.opencode.fields import ABSENT, is_absent, lenient
from app.opencode.limits import objects
from app.opencode.model import MAX_PART_BYTES, Tool

ChangeStatus = Literal["added", "deleted", "modified"]

# Longer lists are not read; of larger diffs and longer files only the counts are.
MAX_FILES = 10_000
MAX_FILE_CHARACTERS = 1024 * 1024
# Around what differs, for a reader to unfold; OpenCode's own diffs have the whole file.
CONTEXT_LINES = 100

STATUSES: dict[str | None, ChangeStatus] = {
    "added": "added",
    "add": "added",
    "deleted": "deleted",
    "delete": "deleted",
    "modified": "modified",
    "update": "modified",
    "move": "modified",
}


@dataclass(frozen=True)
class FileDiff:
    """What one change did to a file; `old_path` is empty unless it was moved."""

    path: str
    status: ChangeStatus
    additions: int
    deletions: int
    patch: str
    old_path: str = ""


class _FileCounts(msgspec.Struct, frozen=True):
    file: str | None = None
    path: str | None = None
    movePath: str | None = None  # noqa: N815 - names here and below are OpenCode's
    filePath: str | None = None  # noqa: N815
    additions: float | None = None
    deletions: float | None = None
    status: str | None = None
    type: str | None = None


class _FileDiff(_FileCounts, frozen=True):
    patch: str | None = None
    before: str | None = None
    after: str | None = None


class _Input(msgspec.Struct, frozen=True):
    filePath: str | None = None  # noqa: N815
    path: str | None = None
    content: str | None = None


class _Metadata(msgspec.Struct, frozen=True):
    diff: str | None = None
    filediff: Raw = ABSENT
    files: Raw = ABSENT
    exists: bool | None = None
    results: Raw = ABSENT


class _Result(msgspec.Struct, frozen=True):
    diff: str | None = None
    filediff: Raw = ABSENT


_read_result = lenient(_Result)
_read_input = lenient(_Input)
_read_metadata = lenient(_Metadata)
_read_file_diff = lenient(_FileDiff)
_read_file_counts = lenient(_FileCounts)

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


def listed_diffs(field: Raw, *, with_patches: bool = True) -> Iterator[FileDiff]:
    """The files of a JSON list of diffs; none if it is no list.

    Without patches, those are not even decoded of which the list has the counts.
    """
    try:
        encoded = [] if is_absent(field) else objects(field, MAX_FILES)
    except (msgspec.ValidationError, RecursionError):
        return
    for raw in encoded:
        diff = _file_diff(_listed(raw, with_patch=with_patches))
        if diff.path:
            yield diff


def _listed(raw: Raw, *, with_patch: bool) -> _FileDiff:
    is_large = len(memoryview(raw)) > MAX_PART_BYTES
    if is_large or not with_patch:
        counts = _read_file_counts(raw)
        if is_large or (counts.additions is not None and counts.deletions is not None):
            return _FileDiff(**msgspec.structs.asdict(counts))
    return _read_file_diff(raw)


def tool_diffs(tool: Tool) -> Sequence[FileDiff]:
    """The files that a call of an editing tool changed."""
    metadata, input = _read_metadata(tool.metadata), _read_input(tool.input)
    path = input.filePath or input.path or ""
    if listed := list(listed_diffs(metadata.files)):
        return listed
    if several := list(_result_diffs(metadata.results, path)):
        return several
    fields = _read_file_diff(metadata.filediff)
    if fields.patch is None and fields.before is None:
        fields = msgspec.structs.replace(fields, patch=metadata.diff)
    if fields.patch is None and fields.after is None and input.content is not None:
        # What a written file contained before is not recorded, so all of it counts as new.
        status = "modified" if metadata.exists else "added"
        fields = msgspec.structs.replace(fields, before="", after=input.content, status=status)
    diff = _file_diff(msgspec.structs.replace(fields, path=path or fields.path))
    return [diff] if diff.path and (diff.patch or diff.additions or diff.deletions) else []


def _result_diffs(field: Raw, path: str) -> Iterator[FileDiff]:
    """The diffs of a call that made several edits of one file."""
    try:
        encoded = [] if is_absent(field) else objects(field, MAX_FILES)
    except (msgspec.ValidationError, RecursionError):
        return
    for result in map(_read_result, encoded):
        fields = _read_file_diff(result.filediff)
        patch = result.diff if fields.patch is None and fields.before is None else fields.patch
        diff = _file_diff(msgspec.structs.replace(fields, patch=patch, path=path or fields.path, file=None))
        if diff.path and diff.patch:
            yield diff


def _file_diff(fields: _FileDiff) -> FileDiff:
    patch = fields.patch if fields.patch is not None else _patch(fields.before or "", fields.after or "")
    added, removed = _counted(patch)
    additions = added if fields.additions is None else int(fields.additions)
    deletions = removed if fields.deletions is None else int(fields.deletions)
    old_path = fields.filePath if fields.movePath and fields.movePath != fields.filePath else None
    return FileDiff(
        path=fields.file or fields.path or fields.movePath or fields.filePath or "",
        old_path=old_path or "",
        status=STATUSES.get(fields.status or fields.type) or _status(patch, additions, deletions),
        additions=max(0, additions),
        deletions=max(0, deletions),
        patch=patch,
    )


def _status(patch: str, additions: int, deletions: int) -> ChangeStatus:
    """Derived from the first hunk: a new file has no lines before, a deleted one none after."""
    hunk = _HUNK.search(patch)
    is_new = hunk.group(1, 2) == ("0", "0") if hunk else not deletions
    is_gone = hunk.group(3, 4) == ("0", "0") if hunk else not additions
    if is_new == is_gone:
        return "modified"
    return "added" if is_new else "deleted"


def _counted(patch: str) -> tuple[int, int]:
    """How many lines a patch adds and removes; the lines before its first hunk are headers."""
    hunk = _HUNK.search(patch)
    body = patch[hunk.start() :] if hunk else ""
    return body.count("\n+"), body.count("\n-")


def _patch(before: str, after: str) -> str:
    """A unified diff of one hunk, from the first line that differs to the last, in linear time."""
    if before == after or max(len(before), len(after)) > MAX_FILE_CHARACTERS:
        return ""
    old, new = _lines(before), _lines(after)
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    left = shorter - start
    end = next((at for at in range(left) if old[-1 - at] != new[-1 - at]), left)
    first = max(0, start - CONTEXT_LINES)
    after_old = old[len(old) - end :][:CONTEXT_LINES]
    lines = [
        *(f" {line}" for line in old[first:start]),
        *(f"-{line}" for line in old[start : len(old) - end]),
        *(f"+{line}" for line in new[start : len(new) - end]),
        *(f" {line}" for line in after_old),
    ]
    old_range = _range(first, len(old) - end + len(after_old))
    new_range = _range(first, len(new) - end + len(after_old))
    return "\n".join([f"@@ -{old_range} +{new_range} @@", *lines, ""])


def _lines(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _range(first: int, end: int) -> str:
    """`start,count` as a hunk names it: lines count from 1, and an empty range stands after line 0."""
    return f"{first + 1 if end > first else first},{end - first}"
