"""Moves shares to another database and another store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, delete, func, insert, select
from sqlalchemy.exc import DBAPIError

from app.db.models import Share, ShareEvent
from app.services.documents.stored_document import GZIP_MAGIC
from app.storage import ObjectStore, StorageError, document_key

ROWS = 200
CHUNK_BYTES = 1024 * 1024

TABLE = Share.__table__
EVENTS = ShareEvent.__table__


class OtherVersion(Exception):
    """The database at the old place is not as this version of the server needs it."""

    def __init__(self) -> None:
        super().__init__(
            "The old database is empty or of another version; run 'flask db upgrade' with its settings first."
        )


@dataclass(frozen=True)
class Place:
    """A database and the store of its documents."""

    engine: Engine
    store: ObjectStore


@dataclass
class Moved:
    """What a move did; `wrong` are the ids of shares whose documents did not arrive as they were."""

    shares: int = 0
    documents: int = 0
    bytes: int = 0
    wrong: list[str] = field(default_factory=list)


class Move:
    """Takes shares from the place `old` to the place `new`, and changes nothing in `old`.

    What is at the new place is replaced only by what is newer, so a move may be broken off and repeated.
    Raises OtherVersion.
    """

    def __init__(self, old: Place, new: Place) -> None:
        self._old = old
        self._new = new
        self.moved = Moved()
        try:
            with old.engine.connect() as connection:
                connection.execute(select(TABLE).limit(0))
        except DBAPIError:
            raise OtherVersion from None

    def __len__(self) -> int:
        with self._old.engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(TABLE)).scalar_one()

    def __iter__(self) -> Iterator[str]:
        """Moves share after share and tells their ids; a row follows its document. Raises StorageError."""
        written = _times(self._old.store)
        arrived = _times(self._new.store)
        for rows in self._batches():
            known = self._known(rows)
            current = [row for row in rows if not _is_behind(row, known.get(row.share_id))]
            for row in current:
                key = document_key(row.share_id)
                if row.deleted_at:
                    if key in arrived:
                        self._new.store.delete(key)
                elif key in written and (key not in arrived or arrived[key] < written[key]):
                    self._copy_document(row.share_id)
                yield row.share_id
            self._copy_rows([row for row in current if _is_news(row, known.get(row.share_id))])

    def _batches(self) -> Iterator[Sequence[Row[Any]]]:
        last = ""
        while True:
            batch = select(TABLE).where(TABLE.c.share_id > last).order_by(TABLE.c.share_id).limit(ROWS)
            with self._old.engine.connect() as connection:
                rows = connection.execute(batch).all()
            if not rows:
                return
            yield rows
            last = rows[-1].share_id

    def _events(self, share_ids: Sequence[str]) -> Iterator[Row[Any]]:
        """What has come for these shares and waits to be stored."""
        waiting = select(EVENTS).where(EVENTS.c.share_id.in_(share_ids))
        with self._old.engine.connect() as connection:
            yield from connection.execution_options(yield_per=1).execute(waiting)

    def _known(self, rows: Sequence[Row[Any]]) -> dict[str, Row[Any]]:
        """Those of the rows that are at the new place already, by their ids."""
        same = select(TABLE).where(TABLE.c.share_id.in_([row.share_id for row in rows]))
        with self._new.engine.connect() as connection:
            return {row.share_id: row for row in connection.execute(same)}

    def _copy_document(self, share_id: str) -> None:
        key = document_key(share_id)
        data = _read(self._old.store, key)
        if data is None:
            return
        self._new.store.put(key, data, encoding="gzip" if data.startswith(GZIP_MAGIC) else None)
        if next((found.size for found in self._new.store.objects(key)), None) != len(data):
            self._new.store.delete(key)
            self.moved.wrong.append(share_id)
            return
        self.moved.documents += 1
        self.moved.bytes += len(data)

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
        self.moved.shares += len(rows)


def _is_behind(row: Row[Any], known: Row[Any] | None) -> bool:
    """Whether the new place knows better: the share has ended there, or its id has been taken since."""
    if known is None:
        return False
    return known.created_at > row.created_at or (
        known.created_at == row.created_at and known.deleted_at is not None
    )


def _is_news(row: Row[Any], known: Row[Any] | None) -> bool:
    if known is None or row.created_at > known.created_at or row.deleted_at:
        return True
    return bool(row.last_link_at > known.last_link_at or row.revision > known.revision)


def _times(store: ObjectStore) -> dict[str, datetime]:
    return {found.key: found.changed_at for found in store.objects()}


def _read(store: ObjectStore, key: str) -> bytes | None:
    """A whole document. Raises StorageError, also when it ends early."""
    found = store.open(key)
    if found is None or found.body is None:
        return None
    with closing(found.body) as body:
        data = b"".join(iter(lambda: body.read(CHUNK_BYTES), b""))
    if len(data) != found.size:
        raise StorageError(f"a document of {found.size} bytes ended after {len(data)}")
    return data
