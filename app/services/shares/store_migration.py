"""Copies shares from another database and another store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, delete, func, insert, select
from sqlalchemy.exc import DBAPIError

from app.db.models import Share, ShareEvent
from app.services.shares.object_cleanup import named_keys
from app.storage import ObjectStore, StorageError, delete_objects, share_id_of
from app.storage.objects import GZIP_MAGIC

ROWS_PER_BATCH = 200
CHUNK_BYTES = 1024 * 1024

SHARES = Share.__table__
EVENTS = ShareEvent.__table__


class OtherVersion(Exception):
    """The old database does not have the schema of this version."""

    def __init__(self) -> None:
        super().__init__(
            "The old database is empty or of another version; run 'flask db upgrade' with its settings first."
        )


@dataclass(frozen=True)
class Site:
    """A database and the store of its documents."""

    engine: Engine
    store: ObjectStore


@dataclass
class MigrationReport:
    """What a migration did; `failed` are the ids of shares whose documents did not arrive as they were."""

    shares: int = 0
    documents: int = 0
    bytes: int = 0
    failed: list[str] = field(default_factory=list)


class StoreMigration:
    """Copies shares from the site `old` to the site `new`, and changes nothing in `old`.

    At the new site only older rows and documents are replaced, so a migration may be broken off and repeated.
    Raises OtherVersion.
    """

    def __init__(self, old: Site, new: Site) -> None:
        self._old = old
        self._new = new
        self.report = MigrationReport()
        try:
            with old.engine.connect() as connection:
                connection.execute(select(SHARES).limit(0))
        except DBAPIError:
            raise OtherVersion from None

    def __len__(self) -> int:
        with self._old.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(SHARES)).scalar_one()

    def __iter__(self) -> Iterator[str]:
        """Copies share after share and yields their ids; a row follows its document. Raises StorageError."""
        old_times = _modification_times(self._old.store)
        new_times = _modification_times(self._new.store)
        new_ids = {share_id_of(key) for key in new_times}
        for rows in self._batches():
            existing = self._existing(rows)
            current = [row for row in rows if not _is_behind(row, existing.get(row.share_id))]
            for row in current:
                if row.deleted_at and row.share_id in new_ids:
                    delete_objects(self._new.store, row.share_id)
                for key in [] if row.deleted_at else named_keys(row):
                    if key in old_times and (key not in new_times or new_times[key] < old_times[key]):
                        self._copy_document(row.share_id, key)
                yield row.share_id
            self._copy_rows([row for row in current if _is_newer(row, existing.get(row.share_id))])

    def _batches(self) -> Iterator[Sequence[Row[Any]]]:
        last_id = ""
        while True:
            batch = (
                select(SHARES)
                .where(SHARES.c.share_id > last_id)
                .order_by(SHARES.c.share_id)
                .limit(ROWS_PER_BATCH)
            )
            with self._old.engine.connect() as connection:
                rows = connection.execute(batch).all()
            if not rows:
                return
            yield rows
            last_id = rows[-1].share_id

    def _events(self, share_ids: Sequence[str]) -> Iterator[Row[Any]]:
        """The event logs of these shares."""
        query = select(EVENTS).where(EVENTS.c.share_id.in_(share_ids))
        with self._old.engine.connect() as connection:
            yield from connection.execution_options(yield_per=1).execute(query)

    def _existing(self, rows: Sequence[Row[Any]]) -> dict[str, Row[Any]]:
        """Those of the rows that are at the new site already, by their ids."""
        query = select(SHARES).where(SHARES.c.share_id.in_([row.share_id for row in rows]))
        with self._new.engine.connect() as connection:
            return {row.share_id: row for row in connection.execute(query)}

    def _copy_document(self, share_id: str, key: str) -> None:
        data = _read(self._old.store, key)
        if data is None:
            return
        self._new.store.put(key, data, encoding="gzip" if data.startswith(GZIP_MAGIC) else None)
        copied = self._new.store.info(key)
        if copied is None or copied.size != len(data):
            self._new.store.delete(key)
            self.report.failed.append(share_id)
            return
        self.report.documents += 1
        self.report.bytes += len(data)

    def _copy_rows(self, rows: Sequence[Row[Any]]) -> None:
        if not rows:
            return
        with self._new.engine.begin() as connection:
            ids = [row.share_id for row in rows]
            connection.execute(delete(ShareEvent).where(ShareEvent.share_id.in_(ids)))
            connection.execute(delete(Share).where(Share.share_id.in_(ids)))
            connection.execute(insert(Share), [row._asdict() for row in rows])
            for event in self._events(ids):
                connection.execute(insert(ShareEvent).values(event._asdict()))
        self.report.shares += len(rows)


def _is_behind(row: Row[Any], existing: Row[Any] | None) -> bool:
    """Whether the new site has a later state: the share was deleted there, or its id was taken since."""
    if existing is None:
        return False
    return existing.created_at > row.created_at or (
        existing.created_at == row.created_at and existing.deleted_at is not None
    )


def _is_newer(row: Row[Any], existing: Row[Any] | None) -> bool:
    if existing is None or row.created_at > existing.created_at or row.deleted_at:
        return True
    return bool(row.last_link_at > existing.last_link_at or row.revision > existing.revision)


def _modification_times(store: ObjectStore) -> dict[str, datetime]:
    return {info.key: info.modified_at for info in store.list()}


def _read(store: ObjectStore, key: str) -> bytes | None:
    """A whole document. Raises StorageError, also when it ends early."""
    stored = store.open(key)
    if stored is None or stored.body is None:
        return None
    with closing(stored.body) as body:
        data = b"".join(iter(lambda: body.read(CHUNK_BYTES), b""))
    if len(data) != stored.size:
        raise StorageError(f"a document of {stored.size} bytes ended after {len(data)}")
    return data
