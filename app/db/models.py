"""The tables."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Double, LargeBinary, Text, TypeDecorator, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.extensions import Base
from config import Audience

# Which protocol created a share: the plugin's uploads, or OpenCode's own sync batches.
UPLOAD = "upload"
NATIVE = "native"

# Who may read a share: all who have the link, or those among them who know its password, or are signed in.
LINK: Audience = "link"
PASSWORD: Audience = "password"  # noqa: S105 - a name
MEMBERS: Audience = "members"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time in UTC on every database; SQLite returns times without their zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo:
            return value and value.astimezone(UTC)
        return value.replace(tzinfo=UTC)


class Share(Base):
    """A link to one session, or the tombstone of a deleted one (`deleted_at` set, no session id).

    `secret` is the SHA-256 of the secret, in hexadecimal, and `removal_secret` that of the one which only
    removes the share (app.services.shares.share_secrets), None for shares from before there was one.
    `plugin_missing_at` is when OpenCode wanted to change the share with the latter, because it had no plugin.
    `last_link_at` is when an upload link was last issued. `expires_at` is what the author asked for;
    `created_by` names the creation token that was used.

    `source` is UPLOAD or NATIVE. `revision` numbers what was synced or committed last, and stays 0 for an
    upload whose client commits nothing. `document_bytes` is the size of the checkpoint as JSON, and
    `pending_bytes` that of the batches which are not in it yet; together they weigh at most `weight`
    (app.opencode.sync.weight). `checkpoint` names the object of the checkpoint (app.storage.objects); None
    before the first one, and for one that a release before 0.2 wrote under the key of uploads. `synced_at` is
    when the last batch arrived.

    `audience` says who may read it (Audience), None as the server does by default, and
    `password` is the hash of its password.

    `title` and `project` are those of the session (app.opencode.description) as read last, None before, and
    `upload_bytes` is the size as JSON of what was uploaded without a commit. `custom_title` is what the
    author calls it instead. `member` is the id of the member whose share it is, and `views` counts its
    readers, each once a day.

    `copy_etag` is the ETag of the copy that was made for programs which read the bucket
    (app.services.documents.bucket_copies), None before the first.

    `cleanup_at` is when to delete the objects of the share in the store that this row does not name.
    """

    __tablename__ = "shares"

    share_id: Mapped[str] = mapped_column(Text, primary_key=True)
    session_id: Mapped[str] = mapped_column(Text)
    secret: Mapped[str] = mapped_column(Text)
    removal_secret: Mapped[str | None] = mapped_column(Text)
    plugin_missing_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, server_default=func.now())
    last_link_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_by: Mapped[str | None] = mapped_column(Text)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    source: Mapped[str] = mapped_column(Text, server_default=UPLOAD)
    revision: Mapped[int] = mapped_column(BigInteger, server_default="0")
    document_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    pending_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    weight: Mapped[int] = mapped_column(BigInteger, server_default="0")
    checkpoint: Mapped[str | None] = mapped_column(Text)
    synced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    audience: Mapped[Audience | None] = mapped_column(Text)
    password: Mapped[str | None] = mapped_column(Text)
    title: Mapped[str | None] = mapped_column(Text)
    project: Mapped[str | None] = mapped_column(Text)
    upload_bytes: Mapped[int | None] = mapped_column(BigInteger)
    custom_title: Mapped[str | None] = mapped_column(Text)
    member: Mapped[str | None] = mapped_column(Text, index=True)
    views: Mapped[int] = mapped_column(BigInteger, server_default="0")
    copy_etag: Mapped[str | None] = mapped_column(Text)
    cleanup_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class ShareReader(Base):
    """A reader of a share on a day, such as `2026-11-28`, as a hash (app.services.views)."""

    __tablename__ = "share_readers"

    day: Mapped[str] = mapped_column(Text, primary_key=True)
    share_id: Mapped[str] = mapped_column(Text, primary_key=True)
    reader: Mapped[str] = mapped_column(Text, primary_key=True)


class ViewSalt(Base):
    """What the hashes of a day are made with, in hexadecimal; gone with them."""

    __tablename__ = "view_salts"

    day: Mapped[str] = mapped_column(Text, primary_key=True)
    salt: Mapped[str] = mapped_column(Text)


class ShareEvent(Base):
    """A batch that was synced or committed, or a slice of one, that the checkpoint of its share may lack.

    `number` counts the rows of a share from 1, in the order of arrival; `items` is compressed with zstd. The
    first row of a batch has the size in bytes of its whole JSON list; those that continue it have 0.
    """

    __tablename__ = "share_events"

    share_id: Mapped[str] = mapped_column(Text, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    size: Mapped[int] = mapped_column(BigInteger)
    items: Mapped[bytes] = mapped_column(LargeBinary)


class Member(Base):
    """Somebody who has signed in, as the proxy or the identity provider says.

    `id` is made from `issuer` and `subject` (app.services.members.identity), so that it is the same in every
    database. `mail` was verified by the issuer; `groups` are separated by line breaks. A session that began
    before `signed_out_at` has ended.
    """

    __tablename__ = "members"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    mail: Mapped[str | None] = mapped_column(Text)
    groups: Mapped[str] = mapped_column(Text, server_default="")
    first_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signed_out_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def account(self) -> str:
        """As app.services.members.identity.Identity.account."""
        return self.mail or self.subject


class PersonalToken(Base):
    """A token that a member has made for their programs; `hash` is its SHA-256, in hexadecimal."""

    __tablename__ = "personal_tokens"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    member: Mapped[str] = mapped_column(Text, index=True)
    name: Mapped[str] = mapped_column(Text)
    hash: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SigningKey(Base):
    """One row: the key that signs the cookies and forms of members, the same on all hosts."""

    __tablename__ = "signing_key"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(Text)


class SchemaRelease(Base):
    """One row: the release that migrated last, which an older one names when it refuses to start."""

    __tablename__ = "schema_release"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    release: Mapped[str] = mapped_column(Text)


class RateLimitCount(Base):
    """How often a key was counted in its current window, which closes at `expires_at` (epoch seconds)."""

    __tablename__ = "rate_limit_counts"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    hits: Mapped[int]
    expires_at: Mapped[float] = mapped_column(Double, index=True)
