"""Makes a backup of all shares, while the server is in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, Row, func, select

from app.db.models import Share
from app.services.backup.entries import EVENTS, SHARES, BackupError, Copy, Entry, share_values, to_json
from app.services.backup.folder import BackupFolder
from app.services.shares.object_cleanup import named_keys
from app.storage import ObjectInfo, ObjectStore, read_object

ROWS_PER_BATCH = 200


@dataclass
class BackupReport:
    """What a backup did; `missing` are the ids of shares whose document is no longer in the store."""

    shares: int = 0
    documents: int = 0
    fetched: int = 0
    fetched_bytes: int = 0
    missing: list[str] = field(default_factory=list)


class Known(NamedTuple):
    """A share in the backup before."""

    created_at: str
    copies: Sequence[Copy]


class Backup:
    """The entries of a new backup, one for each row of the database.

    Row and event log of a share are read in one statement, and its document after them: a store keeps what a
    row names for an hour after that has changed (app.services.shares.object_cleanup). Where the document is
    missing all the same, the row is read again, and what was deleted meanwhile is a tombstone here as well.

    A document that the backup before has, in the version that the store lists, is not fetched again. One that
    the store has lost while its row is live stays in the backup.
    """

    def __init__(self, engine: Engine, store: ObjectStore, folder: BackupFolder) -> None:
        self._engine = engine
        self._store = store
        self._folder = folder
        self.report = BackupReport()

    def __len__(self) -> int:
        with self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(SHARES)).scalar_one()

    def __iter__(self) -> Iterator[Entry]:
        """Raises StorageError, and BackupError if this is another database than that of the backup before."""
        known = self._known()
        listed = {info.key: info for info in self._store.list()}
        seen = 0
        for row in self._rows():
            seen += row.share_id in known
            self.report.shares += 1
            yield self._entry(row, known.get(row.share_id), listed)
        if known and not seen:
            raise BackupError(
                "The database has none of the shares of the last backup, so it may be a wrong one; "
                "use another folder if it is not."
            )

    def _known(self) -> dict[str, Known]:
        names = self._folder.names()
        entries = self._folder.entries(names[-1]) if names else ()
        return {entry.share_id: Known(entry.share["created_at"], entry.copies) for entry in entries}

    def _rows(self) -> Iterator[Row[Any]]:
        last_id = ""
        while True:
            query = select(SHARES).where(SHARES.c.share_id > last_id).order_by(SHARES.c.share_id)
            with self._engine.connect() as connection:
                rows = connection.execute(query.limit(ROWS_PER_BATCH)).all()
            if not rows:
                return
            yield from rows
            last_id = rows[-1].share_id

    def _entry(self, row: Row[Any], known: Known | None, listed: dict[str, ObjectInfo]) -> Entry:
        # Without a revision there is no event log.
        entry = self._read(row.share_id) if row.revision else Entry(to_json(row._asdict()), [], [])
        while not entry.is_deleted:
            known_copies = known.copies if known and known.created_at == entry.share["created_at"] else ()
            keys = named_keys(Share(**share_values(entry)))
            copies = [self._copy(key, known_copies, listed) for key in keys]
            entry.copies = [copy for copy in copies if copy]
            if copies[0]:
                break
            again = self._read(row.share_id)
            if again.share == entry.share:
                self._keep(entry, known_copies)
                break
            entry = again
        self.report.documents += len(entry.copies)
        return entry

    def _read(self, share_id: str) -> Entry:
        """A row and its event log, as they were at one moment."""
        log = EVENTS.c.share_id == SHARES.c.share_id
        query = select(SHARES, EVENTS).join_from(SHARES, EVENTS, log, isouter=True)
        query = query.where(SHARES.c.share_id == share_id).order_by(EVENTS.c.number)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        share, *_ = ({column.name: row._mapping[column] for column in SHARES.c} for row in rows)
        events = [{column.name: row._mapping[column] for column in EVENTS.c} for row in rows]
        return Entry(to_json(share), [to_json(event) for event in events if event["share_id"]], [])

    def _copy(self, key: str, known: Sequence[Copy], listed: dict[str, ObjectInfo]) -> Copy | None:
        info = listed.get(key)
        for copy in known:
            if info and (copy.key, copy.etag) == (key, info.etag) and self._folder.has_document(copy.sha256):
                return copy
        found = read_object(self._store, key)
        if found is None:
            return None
        stored, data = found
        self.report.fetched += 1
        self.report.fetched_bytes += len(data)
        sha256 = self._folder.add_document(data)
        modified_at = stored.modified_at or (info.modified_at if info else datetime.now(UTC))
        return Copy(key, sha256, len(data), stored.etag, modified_at)

    def _keep(self, entry: Entry, known: Sequence[Copy]) -> None:
        """Keeps what the backup has of a share whose document the store has lost, or never had."""
        there = {copy.key for copy in entry.copies}
        entry.copies += [copy for copy in known if copy.key not in there]
        if known or entry.share["checkpoint"]:
            self.report.missing.append(entry.share_id)
