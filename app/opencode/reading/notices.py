"""The lines about what happened around a conversation, in the same words for every generation."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from app.opencode.fields import read_failure
from app.opencode.model import Notice

# Names take many times their size in memory once they are a list.
MAX_PATCH_BYTES = 1024 * 1024


def patch_notice(id: str, files: Raw) -> Notice:
    """The files that an answer changed. Raises ValidationError when they are no list of names."""
    if len(memoryview(files)) > MAX_PATCH_BYTES:
        raise msgspec.ValidationError("too many files")
    names = msgspec.json.decode(files, type=list[str])
    label = f"Changed {len(names)} file{'' if len(names) == 1 else 's'}"
    return Notice(id=id, kind="patch", label=label, detail="\n".join(names))


def agent_notice(id: str, name: str) -> Notice:
    return Notice(id=id, kind="agent", label=f"@{name}")


def retry_notice(id: str, attempt: int, error: Raw) -> Notice:
    failure = read_failure(error)
    return Notice(id=id, kind="retry", label=f"Retry {attempt}: {failure.text if failure else 'unknown'}")


def compaction_notice(id: str, *, is_automatic: bool, detail: str = "") -> Notice:
    how = "automatically" if is_automatic else "by hand"
    return Notice(id=id, kind="compaction", label=f"Context compacted {how}", detail=detail)
