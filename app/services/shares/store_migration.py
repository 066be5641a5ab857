"""Copies shares and members from another database and another store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, func, select
from sqlalchemy.exc import DBAPIError

from app.db.models import Share, ShareEvent
from app.services.members.copied_accounts import add_accounts, read_accounts
from app.services.shares.copied_rows import find_rows, is_behind, is_newer, replace_rows
from app.services.shares.object_cleanup import named_keys
from app.storage import ObjectStore, delete_objects, encoding_of, read_object, share_id_of

ROWS_PER_BATCH = 200

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

    members: int = 0
    shares: int = 0
    documents: int = 0
    bytes: int = 0
    failed: list[str] = field(default_factory=list)


class StoreMigration:
    """Copies members and shares from the site `old` to the site `new`, and changes nothing in `old`.

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
        """Copies the members, and then share after share and yields their ids; a row follows its document.

        Raises StorageError.
        """
        self.report.members = add_accounts(self._new.engine, read_accounts(self._old.engine))
        old_times = _modification_times(self._old.store)
        new_times = _modification_times(self._new.store)
        new_ids = {share_id_of(key) for key in new_times}
        for rows in self._batches():
            existing = find_rows(self._new.engine, [row.share_id for row in rows])
            current = [row for row in rows if not is_behind(row, existing.get(row.share_id))]
            for row in current:
                if row.deleted_at and row.share_id in new_ids:
                    delete_objects(self._new.store, row.share_id)
                for key in [] if row.deleted_at else named_keys(row):
                    if key in old_times and (key not in new_times or new_times[key] < old_times[key]):
                        self._copy_document(row.share_id, key)
                yield row.share_id
            self._copy_rows([row for row in current if is_newer(row, existing.get(row.share_id))])

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

    def _copy_document(self, share_id: str, key: str) -> None:
        found = read_object(self._old.store, key)
        if found is None:
            return
        _, data = found
        self._new.store.put(key, data, encoding=encoding_of(data))
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
        events = self._events([row.share_id for row in rows])
        replace_rows(self._new.engine, [row._asdict() for row in rows], (event._asdict() for event in events))
        self.report.shares += len(rows)


def _modification_times(store: ObjectStore) -> dict[str, datetime]:
    return {info.key: info.modified_at for info in store.list()}
