"""Members and their personal tokens as rows, which are copied into another database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, Table, bindparam, insert, select, update

from app.db.models import Member, PersonalToken

MEMBERS: Table = Member.__table__  # type: ignore[assignment]
TOKENS: Table = PersonalToken.__table__  # type: ignore[assignment]

REVOKE = (
    update(TOKENS)
    .where(TOKENS.c.id == bindparam("token_id"), TOKENS.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)


@dataclass(frozen=True)
class Accounts:
    """Rows of `members` and of `personal_tokens`."""

    members: Sequence[Mapping[str, Any]] = ()
    tokens: Sequence[Mapping[str, Any]] = ()


def read_accounts(engine: Engine) -> Accounts:
    """All members and tokens of a database."""
    with engine.connect() as connection:
        members, tokens = (connection.execute(select(table)).mappings().all() for table in (MEMBERS, TOKENS))
    return Accounts([dict(row) for row in members], [dict(row) for row in tokens])


def add_accounts(engine: Engine, accounts: Accounts) -> int:
    """Adds the members and tokens that the database does not have, and returns how many members these are.

    What it has stays, except that a token ends there if it was revoked. Nobody is signed in by this: for
    members who are added, sessions that began before have ended.
    """
    now = datetime.now(UTC)
    with engine.begin() as connection:
        member_ids, token_ids = (
            set(connection.scalars(select(table.c.id)).all()) for table in (MEMBERS, TOKENS)
        )
        members = [{**row, "signed_out_at": now} for row in accounts.members if row["id"] not in member_ids]
        tokens = [row for row in accounts.tokens if row["id"] not in token_ids]
        revoked = [
            {"token_id": row["id"], "at": row["revoked_at"]} for row in accounts.tokens if row["revoked_at"]
        ]
        for statement, rows in ((insert(MEMBERS), members), (insert(TOKENS), tokens), (REVOKE, revoked)):
            if rows:
                connection.execute(statement, rows)
    return len(members)
