"""Brings the shares and the members of a backup back into a database and a store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Engine

from app.db.models import Share
from app.services.backup.entries import Copy, Entry, event_values, share_values
from app.services.backup.folder import BackupFolder
from app.services.members.copied_accounts import Accounts, add_accounts
from app.services.shares.copied_rows import find_rows, is_behind, is_newer, replace_rows
from app.storage import ObjectStore, delete_objects, encoding_of, read_object, share_id_of

ROWS_PER_BATCH = 200


@dataclass
class RestoreReport:
    """What a restore did; `failed` are the ids of shares whose documents could not be brought back."""

    members: int = 0
    shares: int = 0
    documents: int = 0
    bytes: int = 0
    failed: list[str] = field(default_factory=list)


class Restore:
    """The members and shares of the backup `name`, without what a later backup calls revoked or deleted.

    What the database and the store have already stays if it is newer, and a deleted share stays deleted; so a
    restore may be broken off and repeated. The server must not run.
    """

    def __init__(self, engine: Engine, store: ObjectStore, folder: BackupFolder, name: str) -> None:
        self._engine = engine
        self._store = store
        self._folder = folder
        self._name = name
        self.report = RestoreReport()

    def __iter__(self) -> Iterator[Share]:
        """Restores the members, and then share after share and yields them; a row follows its document.

        Raises StorageError and BackupError.
        """
        self.report.members = add_accounts(self._engine, self._accounts())
        times = {info.key: info.modified_at for info in self._store.list()}
        stored_ids = {share_id_of(key) for key in times}
        entries = self._entries()
        while batch := list(islice(entries, ROWS_PER_BATCH)):
            existing = find_rows(self._engine, [entry.share_id for entry in batch])
            newer = []
            for entry in batch:
                share = Share(**share_values(entry))
                if is_behind(share, existing.get(entry.share_id)):
                    continue
                if entry.is_deleted and entry.share_id in stored_ids:
                    delete_objects(self._store, entry.share_id)
                self._put_documents(entry, times)
                if is_newer(share, existing.get(entry.share_id)):
                    newer.append(entry)
                yield share
            self._write_rows(newer)

    def _accounts(self) -> Accounts:
        """The accounts in the backup; revoked tokens are those that any backup since then has.

        Members whom the last one does not have were removed.
        """
        found = self._folder.accounts(self._name) or Accounts()
        later = [accounts for name in self._later() if (accounts := self._folder.accounts(name))]
        present = {row["id"] for row in (later or [found])[-1].members}
        revoked = {row["id"]: row for accounts in later for row in accounts.tokens if row["revoked_at"]}
        tokens = {row["id"]: row for row in found.tokens} | revoked
        members = [row for row in found.members if row["id"] in present]
        return Accounts(members, list(tokens.values()))

    def _later(self) -> Sequence[str]:
        """The names of the backups that were made after this one."""
        names = self._folder.names()
        return names[names.index(self._name) + 1 :]

    def _entries(self) -> Iterator[Entry]:
        """The shares of the backup; tombstones are the newest that any backup since then has."""
        entries = (entry for name in self._later() for entry in self._folder.entries(name))
        deleted = {entry.share_id: entry for entry in entries if entry.is_deleted}
        for entry in self._folder.entries(self._name):
            yield deleted.pop(entry.share_id, entry)
        yield from deleted.values()

    def _put_documents(self, entry: Entry, times: dict[str, datetime]) -> None:
        for copy in entry.copies:
            if copy.key in times and times[copy.key] >= copy.modified_at:
                continue
            if self._put(copy):
                self.report.documents += 1
                self.report.bytes += copy.size
            else:
                self.report.failed.append(entry.share_id)

    def _put(self, copy: Copy) -> bool:
        """Stores a document and reads it back. Returns whether it is there as the backup had it."""
        data = self._folder.document(copy.sha256)
        if data is None:
            return False
        self._store.put(copy.key, data, encoding=encoding_of(data))
        found = read_object(self._store, copy.key)
        return found is not None and hashlib.sha256(found[1]).hexdigest() == copy.sha256

    def _write_rows(self, entries: Sequence[Entry]) -> None:
        rows: list[dict[str, Any]] = [share_values(entry) for entry in entries]
        replace_rows(self._engine, rows, (event for entry in entries for event in event_values(entry)))
        self.report.shares += len(rows)
