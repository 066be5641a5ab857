"""What readers may see of a share, given what was done to it and what was acknowledged.

A request without an answer has an unknown outcome: it was applied, was not, or will be applied later. These
are admissible:

- Creation: the share exists or not. A second creation with the id may be refused with 409.
- Upload: any later reader may see it, also after a newer one, because the bucket decides in which order
  uploads end. A reader may see the version before an acknowledged upload for STALE_SECONDS.
- Sync, and commit of changes or of a snapshot: it is seen by every later reader, or by none until a reader
  sees it.
- Delete: the share is seen or not, until a reader does not see it.

A page that says that the database was unavailable (`Cache-Status`) is an earlier one, and is not checked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tests.support.patience import patience

# An uploaded document is fresh for a second, which begins once it was fetched and read.
STALE_SECONDS = 1 + patience(4)


class Violation(AssertionError):
    """A reader saw what must not be."""


@dataclass
class ModelShare:
    """A share of one client; `history` is what was done, for the report of a violation.

    `expires` is between which monotonic times it expires, if it does. `is_deleted` and `exists` are None
    while that is not known.
    """

    id: str
    secret: str = ""
    exists: bool | None = True
    is_deleted: bool | None = False
    expires: tuple[float, float] | None = None
    history: list[str] = field(default_factory=list)

    def note(self, line: str) -> None:
        self.history.append(f"{time.monotonic():.3f} {line}")

    def check_status(self, status: int, host: str, asked_at: float) -> bool:
        """Checks whether the share may be shown; returns whether it was."""
        self.note(f"{host} answered {status}")
        if status in (404, 410):
            has_expired = self.expires is not None and time.monotonic() >= self.expires[0]
            if self.exists and self.is_deleted is False and not (status == 410 and has_expired):
                raise Violation(f"{status} for a share that exists")
            if self.is_deleted is None:
                self.is_deleted = True
            return False
        if status not in (200, 202):
            raise Violation(f"unexpected status {status}")
        if self.is_deleted:
            raise Violation(f"{status} for a share that was deleted")
        if self.expires is not None and asked_at >= self.expires[1]:
            raise Violation(f"{status} for a share that has expired")
        return True


@dataclass
class UploadedShare(ModelShare):
    """A share whose versions are numbered from 1, as the client uploaded them."""

    current: int = 0
    acknowledged_at: float = 0.0
    unknown: set[int] = field(default_factory=set)
    seen: dict[str, int] = field(default_factory=dict)
    last: int = 0

    def next_version(self) -> int:
        self.last += 1
        return self.last

    def acknowledge(self, version: int) -> None:
        """Notes that an upload succeeded."""
        self.note(f"version {version} was acknowledged")
        self.current, self.acknowledged_at = version, time.monotonic()

    def check_version(self, version: int, host: str, asked_at: float) -> None:
        """Checks the version that a reader saw; 0 is a share without a document."""
        self.note(f"{host} showed version {version}, current is {self.current}")
        if version in self.unknown:
            return
        if version > self.last:
            raise Violation(f"version {version} was never uploaded")
        if version < self.current and asked_at > self.acknowledged_at + STALE_SECONDS:
            raise Violation(f"version {version} is still shown, {self.current} was acknowledged")
        if not self.unknown and version < self.seen.get(host, 0):
            raise Violation(f"{host} went back to version {version}")
        self.seen[host] = max(version, self.seen.get(host, 0))


@dataclass
class SyncedShare(ModelShare):
    """A share of OpenCode's own protocol: a text for each message, numbered from 1 by edit."""

    session_id: str = ""
    acknowledged: dict[str, int] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)

    def check_texts(self, texts: dict[str, int], host: str) -> None:
        """Checks the edit of each message that a reader saw; later readers see it or a later one."""
        self.note(f"{host} showed {texts}, acknowledged is {self.acknowledged}")
        for message, edit in self.acknowledged.items():
            if texts.get(message, 0) < edit:
                raise Violation(f"edit {edit} of message {message} is lost: {texts.get(message)} is shown")
        for message, edit in texts.items():
            if edit > self.sent.get(message, 0):
                raise Violation(f"edit {edit} of message {message} was never sent")
            self.acknowledged[message] = max(edit, self.acknowledged.get(message, 0))


@dataclass
class CommittedShare(SyncedShare):
    """A share of a client that commits; `revision` is None while it has to upload a snapshot.

    `may_be_late`: an upload had no answer, and may still arrive.
    """

    revision: int | None = None
    may_be_late: bool = False
