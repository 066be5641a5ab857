"""What a backup has of shares and members, as JSON that knows nothing of a database or a store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Table

from app.db.models import Share, ShareEvent
from app.services.members.copied_accounts import MEMBERS, TOKENS, Accounts

SHARES: Table = Share.__table__  # type: ignore[assignment]
EVENTS: Table = ShareEvent.__table__  # type: ignore[assignment]


class BackupError(Exception):
    """A backup cannot be made, or not be used; the sentence says why."""


class Copy(msgspec.Struct, frozen=True):
    """The copy of an object of the store, in the file that is named after its SHA-256.

    `etag` and `modified_at` are those of the store when it was read, `size` is in bytes as stored.
    """

    key: str
    sha256: str
    size: int
    etag: str
    modified_at: datetime


class Entry(msgspec.Struct):
    """A row of `shares`, its rows of `share_events` in their order, and the objects that the row names.

    Values are JSON: times as in RFC 3339, bytes in base64.
    """

    share: dict[str, Any]
    events: list[dict[str, Any]]
    copies: list[Copy]

    @property
    def share_id(self) -> str:
        return str(self.share["share_id"])

    @property
    def is_deleted(self) -> bool:
        return self.share["deleted_at"] is not None


class AccountsEntry(msgspec.Struct):
    """Rows of `members` and of `personal_tokens`, whose values are JSON as in Entry."""

    members: list[dict[str, Any]]
    tokens: list[dict[str, Any]]

    @classmethod
    def of(cls, accounts: Accounts) -> AccountsEntry:
        return cls([to_json(row) for row in accounts.members], [to_json(row) for row in accounts.tokens])

    def accounts(self) -> Accounts:
        """The rows, for a database. Raises BackupError."""
        members = [_from_json(MEMBERS, row) for row in self.members]
        return Accounts(members, [_from_json(TOKENS, row) for row in self.tokens])


def share_values(entry: Entry) -> dict[str, Any]:
    """The row of the share, for a database. Raises BackupError."""
    return _from_json(SHARES, entry.share)


def event_values(entry: Entry) -> list[dict[str, Any]]:
    """The rows of the event log of the share, for a database. Raises BackupError."""
    return [_from_json(EVENTS, event) for event in entry.events]


def to_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row in JSON."""
    values: dict[str, Any] = msgspec.to_builtins(dict(row))
    return values


def _from_json(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {name: msgspec.convert(value, _type_of(table, name)) for name, value in row.items()}
    except KeyError as error:
        sentence = f"A later release made this backup: the column {error} is unknown here."
        raise BackupError(sentence) from None
    except msgspec.ValidationError as error:
        raise BackupError(f"A row in this backup of {table.name} cannot be read: {error}.") from None


def _type_of(table: Table, name: str) -> Any:
    column = table.c[name]
    kind: Any = column.type.python_type
    return kind | None if column.nullable else kind
