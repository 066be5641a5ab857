"""Rows that are copied into a database which may have rows of the same shares already."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Engine, Row, delete, insert, select

from app.db.models import Share, ShareEvent

SHARES = Share.__table__


def find_rows(engine: Engine, share_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """The rows that there are of these shares, by their ids."""
    query = select(SHARES).where(SHARES.c.share_id.in_(share_ids))
    with engine.connect() as connection:
        return {row.share_id: row for row in connection.execute(query)}


def is_behind(row: Share | Row[Any], existing: Row[Any] | None) -> bool:
    """Whether the database has a later state: the share was deleted there, or its id was taken since."""
    if existing is None:
        return False
    return existing.created_at > row.created_at or (
        existing.created_at == row.created_at and existing.deleted_at is not None
    )


def is_newer(row: Share | Row[Any], existing: Row[Any] | None) -> bool:
    """Whether a row that is not behind is to take the place of the existing one."""
    if existing is None or row.created_at > existing.created_at or row.deleted_at:
        return True
    return bool(row.last_link_at > existing.last_link_at or row.revision > existing.revision)


def replace_rows(
    engine: Engine, shares: Sequence[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]
) -> None:
    """Writes the rows and event logs of shares in place of those that there are, in one transaction."""
    if not shares:
        return
    share_ids = [share["share_id"] for share in shares]
    with engine.begin() as connection:
        connection.execute(delete(ShareEvent).where(ShareEvent.share_id.in_(share_ids)))
        connection.execute(delete(Share).where(Share.share_id.in_(share_ids)))
        connection.execute(insert(Share), shares)
        for event in events:
            connection.execute(insert(ShareEvent).values(event))
