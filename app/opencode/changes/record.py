"""Writes what a session changed as one record, so that a reader of one file reads no other.

The record is MessagePack: a list of FileRecord, whose patches are decoded on demand.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Raw

from app.opencode.changes.changes import FileChange, Patch, changes
from app.opencode.changes.file_diffs import ChangeStatus
from app.opencode.model import Conversation


class FileRecord(msgspec.Struct, array_like=True, frozen=True):
    """A FileChange; `patches` is a MessagePack list of its `count` patches."""

    path: str
    status: ChangeStatus
    additions: int
    deletions: int
    old_path: str
    count: int
    patches: Raw

    def read_patches(self) -> list[Patch]:
        return _decode_patches(self.patches)


_encode = msgspec.msgpack.encode
_decode_files = msgspec.msgpack.Decoder(list[FileRecord]).decode
_decode_patches = msgspec.msgpack.Decoder(list[Patch]).decode


def write_changes(conversation: Conversation) -> bytes:
    """The record of a session, all of which is read."""
    return _encode([_record(change) for change in changes(conversation)])


def read_changes(record: memoryview) -> Sequence[FileRecord]:
    """The changed files, in the order of their paths."""
    return _decode_files(record)


def _record(change: FileChange) -> FileRecord:
    return FileRecord(
        change.path,
        change.status,
        change.additions,
        change.deletions,
        change.old_path,
        len(change.patches),
        Raw(_encode(change.patches)),
    )
