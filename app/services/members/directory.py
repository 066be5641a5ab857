"""The members of this server: those who have signed in at least once."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from app.db.connection import AutocommitConnection
from app.db.extensions import db
from app.db.models import Member
from app.services.members.identity import Identity, People

# A member who is there all day is noted once in this time.
SEEN_EVERY = timedelta(hours=1)

COLUMNS = (
    Member.id,
    Member.issuer,
    Member.subject,
    Member.name,
    Member.mail,
    Member.groups,
    Member.first_seen_at,
    Member.last_seen_at,
    Member.signed_out_at,
)
BY_ID = select(*COLUMNS).where(Member.id == bindparam("id"))
SEE = update(Member).where(Member.id == bindparam("member_id")).values(last_seen_at=bindparam("now"))
REPLACE = SEE.values(name=bindparam("new_name"), mail=bindparam("new_mail"), groups=bindparam("new_groups"))

logger = logging.getLogger(__name__)


class UnknownMember(Exception):
    def __init__(self, account: str, count: int) -> None:
        many = f"{count} members are called {account!r}; use the id of one."
        super().__init__(many if count else f"There is no member {account!r}.")


@dataclass(frozen=True)
class SignedInMember:
    """A member as of now; `signed_out_at` is when the sessions of before ended."""

    person: Identity
    is_admin: bool
    first_seen_at: datetime
    last_seen_at: datetime
    signed_out_at: datetime | None = None

    @property
    def id(self) -> str:
        return self.person.member_id

    @property
    def account(self) -> str:
        return self.person.account

    def has_session_since(self, began_at: datetime) -> bool:
        """Whether a session that began then is still good."""
        return began_at >= self.first_seen_at and (not self.signed_out_at or began_at > self.signed_out_at)


class Members:
    """Rows of `members`. Who is among `admins` and `allowed` is decided at each request, not at sign-in."""

    def __init__(self, connection: AutocommitConnection, admins: People, allowed: People) -> None:
        self._connection = connection
        self._admins = admins
        self._allowed = allowed

    def get(self, member_id: str) -> SignedInMember | None:
        """The member, unless they were removed or may no longer sign in; notes that they were seen."""
        row = self._connection.first(BY_ID, {"id": member_id})
        if row is None:
            return None
        member = self._member(*row)
        if member.person.member_id != member_id or not self.may_sign_in(member.person):
            return None
        now = datetime.now(UTC)
        if now - member.last_seen_at >= SEEN_EVERY:
            self._connection.execute(SEE, {"member_id": member_id, "now": now})
        return member

    def may_sign_in(self, person: Identity) -> bool:
        """Whether the settings let this person in."""
        return self._allowed.include(person)

    def sign_in(self, person: Identity) -> SignedInMember:
        """Notes who a person is, and that they are there."""
        now = _milliseconds(datetime.now(UTC))
        new: dict[str, Any] = {"name": person.name, "mail": person.mail, "groups": "\n".join(person.groups)}
        values = {"member_id": person.member_id, "now": now} | {f"new_{key}": new[key] for key in new}
        row = {"id": person.member_id, "issuer": person.issuer, "subject": person.subject, **new}
        times = {"first_seen_at": now, "last_seen_at": now}
        if not self._connection.execute(REPLACE, values).rowcount:
            if self._connection.insert_if_absent(insert(Member), row | times):
                return SignedInMember(person, self._admins.include(person), now, now)
            self._connection.execute(REPLACE, values)
        found = self._connection.first(BY_ID, {"id": person.member_id})
        # Removed at the same moment.
        return self._member(*found) if found else SignedInMember(person, False, now, now)

    def see(self, person: Identity) -> SignedInMember:
        """The member whom a proxy names in a request; not being able to note it keeps nobody out."""
        try:
            row = self._connection.first(BY_ID, {"id": person.member_id})
            member = self._member(*row) if row else None
            if member and member.person == person and datetime.now(UTC) - member.last_seen_at < SEEN_EVERY:
                return member
            return self.sign_in(person)
        except SQLAlchemyError as error:
            logger.warning("a member could not be noted: %s", type(error).__name__)
            now = datetime.now(UTC)
            return SignedInMember(person, self._admins.include(person), now, now)

    def sign_out(self, member_id: str) -> None:
        """Ends all sessions of a member."""
        now = _milliseconds(datetime.now(UTC))
        statement = update(Member).where(Member.id == member_id).values(signed_out_at=now)
        self._connection.execute(statement, {})

    def all(self) -> Sequence[Member]:
        """The rows, those first who were seen last."""
        return db.session.scalars(select(Member).order_by(Member.last_seen_at.desc())).all()

    def find(self, account: str) -> Member:
        """The row of the member with this id, mail address or name. Raises UnknownMember."""
        condition = or_(Member.id == account, Member.mail == account, Member.subject == account)
        rows = db.session.scalars(select(Member).where(condition)).all()
        if len(rows) != 1:
            raise UnknownMember(account, len(rows))
        return rows[0]

    def accounts(self, member_ids: Collection[str]) -> dict[str, str]:
        """What people call these members, by their ids; those who were removed are missing."""
        rows = db.session.scalars(select(Member).where(Member.id.in_(member_ids)))
        return {row.id: row.account for row in rows}

    def remove(self, member_id: str) -> None:
        """Forgets a member, and so ends their sessions; who may sign in can come back as the same member."""
        self._connection.execute(delete(Member).where(Member.id == member_id), {})

    def _member(
        self,
        member_id: str,
        issuer: str,
        subject: str,
        name: str,
        mail: str | None,
        groups: str,
        first_seen_at: datetime,
        last_seen_at: datetime,
        signed_out_at: datetime | None,
    ) -> SignedInMember:
        person = Identity(issuer, subject, name, mail, tuple(groups.split("\n")) if groups else ())
        return SignedInMember(
            person, self._admins.include(person), first_seen_at, last_seen_at, signed_out_at
        )


def _milliseconds(time: datetime) -> datetime:
    """As precise as the times in cookies."""
    return time.replace(microsecond=time.microsecond // 1000 * 1000)
