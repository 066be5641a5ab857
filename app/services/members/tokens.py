"""Personal tokens: what programs of a member present in place of a sign-in."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import bindparam, insert, select, update

from app.db.connection import AutocommitConnection
from app.db.extensions import db
from app.db.models import PersonalToken
from app.services.members.directory import Members, SignedInMember

# So that scanners for secrets, and our own redaction (app/redaction/rules.json), recognise one.
PREFIX = "bs_"
ALPHABET = string.ascii_letters + string.digits
RANDOM_CHARACTERS = 40
ID_BYTES = 6
MAX_TOKENS = 50
MAX_NAME_CHARACTERS = 60
# The use of a token is written once in this time.
USED_EVERY = timedelta(hours=1)

BY_HASH = select(
    PersonalToken.id, PersonalToken.name, PersonalToken.member, PersonalToken.last_used_at
).where(PersonalToken.hash == bindparam("hash"), PersonalToken.revoked_at.is_(None))
USE = (
    update(PersonalToken)
    .where(PersonalToken.id == bindparam("token_id"))
    .values(last_used_at=bindparam("now"))
)


class TooManyTokens(Exception):
    def __init__(self) -> None:
        super().__init__(f"You have {MAX_TOKENS} tokens; revoke one that you no longer use.")


class UnknownToken(Exception):
    def __init__(self) -> None:
        super().__init__("There is no such token, or it was revoked before.")


@dataclass(frozen=True)
class UsedToken:
    """A token that a request presents, and whose it is."""

    id: str
    name: str
    member: SignedInMember


class PersonalTokens:
    """Rows of `personal_tokens`; those of people who may no longer sign in are good for nothing."""

    def __init__(self, connection: AutocommitConnection, members: Members) -> None:
        self._connection = connection
        self._members = members

    def create(self, member_id: str, name: str) -> str:
        """A new token, of which only a hash is stored. Raises TooManyTokens."""
        if len(self.of(member_id)) >= MAX_TOKENS:
            raise TooManyTokens
        token = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
        row = {
            "id": secrets.token_hex(ID_BYTES),
            "member": member_id,
            "name": name,
            "hash": _hash(token),
            "created_at": datetime.now(UTC),
        }
        self._connection.execute(insert(PersonalToken), row)
        return token

    def find(self, token: str) -> UsedToken | None:
        """The token, if it is good; notes that it was used."""
        row = self._connection.first(BY_HASH, {"hash": _hash(token)})
        member = self._members.get(row[2]) if row else None
        if row is None or member is None:
            return None
        token_id, name, _, last_used_at = row
        now = datetime.now(UTC)
        if last_used_at is None or now - last_used_at >= USED_EVERY:
            self._connection.execute(USE, {"token_id": token_id, "now": now})
        return UsedToken(token_id, name, member)

    def of(self, member_id: str) -> Sequence[PersonalToken]:
        """The tokens of a member that were not revoked, the newest first."""
        mine = (PersonalToken.member == member_id) & PersonalToken.revoked_at.is_(None)
        newest_first = PersonalToken.created_at.desc()
        return db.session.scalars(select(PersonalToken).where(mine).order_by(newest_first)).all()

    def all(self) -> Sequence[PersonalToken]:
        """Every token, also revoked ones, the newest first."""
        return db.session.scalars(select(PersonalToken).order_by(PersonalToken.created_at.desc())).all()

    def revoke(self, token_id: str, member_id: str | None = None) -> PersonalToken | None:
        """Ends a token, of this member or of any; None if there is no such token."""
        condition = (PersonalToken.id == token_id) & PersonalToken.revoked_at.is_(None)
        if member_id is not None:
            condition &= PersonalToken.member == member_id
        revoked = update(PersonalToken).where(condition).values(revoked_at=datetime.now(UTC))
        token: PersonalToken | None = db.session.scalar(revoked.returning(PersonalToken))
        db.session.commit()
        return token

    def revoke_all_of(self, member_id: str) -> int:
        """Revokes the tokens of a member, and returns how many there were."""
        condition = (PersonalToken.member == member_id) & PersonalToken.revoked_at.is_(None)
        statement = update(PersonalToken).where(condition).values(revoked_at=datetime.now(UTC))
        return self._connection.execute(statement, {}).rowcount


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
