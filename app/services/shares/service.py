"""The life cycle of a share: create it, prove whose it is, renew its upload link, delete it."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.exc import OperationalError

from app.db.connection import AutocommitConnection
from app.db.errors import is_disk_full
from app.db.extensions import db
from app.db.locks import advisory_lock
from app.db.models import NATIVE, UPLOAD, Share
from app.lib.disk_reserve import DiskReserve
from app.services.access.access import DEFAULT, Access
from app.services.shares.errors import ShareExists, ShareExpired, ShareNotFound
from app.services.shares.expiry import Expiry
from app.services.shares.live_share import UPLOAD_LINK_LIFETIME, LiveShare
from app.services.shares.object_cleanup import ObjectCleanup
from app.services.shares.share_ids import is_share_id
from app.services.shares.share_secrets import (
    check_removal,
    check_secret,
    hash_of,
    new_secret,
    removal_secret_of,
)
from app.services.shares.tombstones import mark_deleted
from app.storage import ObjectStore, StorageError, UploadLink, document_key

NATIVE_ID_LENGTH = 8
RANDOM_ID_BYTES = 9

OTHER_SPELLING = select(Share.share_id).where(
    func.lower(Share.share_id) == bindparam("lower"), Share.share_id != bindparam("share_id")
)


@dataclass(frozen=True)
class SignedUpload:
    """A signed link for the document of a share made at `created_at`, good until `expires_at`.

    `share_expires_at` is when the share itself expires, None for never.
    """

    link: UploadLink
    created_at: datetime
    expires_at: datetime
    share_expires_at: datetime | None


@dataclass(frozen=True)
class UploadDeclaration:
    """What a client is about to upload: `size` in bytes as sent, and its Content-Encoding."""

    size: int | None = None
    encoding: str | None = None


class Shares:
    """The shares of this server: rows in the database, documents in `store`, none beyond `expiry`."""

    def __init__(
        self,
        object_cleanup: ObjectCleanup,
        reserve: DiskReserve,
        store: ObjectStore,
        expiry: Expiry,
        connection: AutocommitConnection,
    ) -> None:
        self._object_cleanup = object_cleanup
        self._reserve = reserve
        self._store = store
        self._expiry = expiry
        self._connection = connection

    def create(
        self,
        share_id: str,
        session_id: str,
        source: str = UPLOAD,
        *,
        lifetime: timedelta | None = None,
        created_by: str | None = None,
        member: str | None = None,
        access: Access = DEFAULT,
    ) -> tuple[Share, str]:
        """A new share and its secret, of which only a hash is stored.

        Raises ShareExists, also for the id of a share that was deleted: ids are never used twice. Where the
        store takes ids that differ only in case for one, so does this.
        `source` says which protocol it belongs to, UPLOAD or NATIVE. It expires after `lifetime`, or sooner
        where the server says so; `created_by` names the creation token used, `member` is whose share it is,
        and `access` says who may read.
        """
        secret = new_secret()
        now = datetime.now(UTC)
        row = {
            "share_id": share_id,
            "session_id": session_id,
            "secret": hash_of(secret),
            "removal_secret": hash_of(removal_secret_of(secret)),
            "created_at": now,
            "last_link_at": now,
            "source": source,
            "expires_at": now + lifetime if lifetime else None,
            "created_by": created_by,
            "member": member,
            "audience": access.audience,
            "password": access.password_hash,
        }
        if not self._connection.insert_if_absent(insert(Share), row):
            raise ShareExists
        if self._store.ignores_case() and self._has_other_spelling(share_id):
            self._connection.execute(delete(Share).where(Share.share_id == share_id), {})
            raise ShareExists
        return Share(**row), secret

    def create_native(
        self, session_id: str, created_by: str | None = None, member: str | None = None
    ) -> tuple[Share, str]:
        """A new share for OpenCode's own protocol, and its secret.

        Its id is the end of the session's id, as on OpenCode's own server; when that is taken, or so short
        that it could be guessed, a random one. An imported session keeps its author's id, so the id of a
        session proves nothing.
        """
        preferred = session_id[-NATIVE_ID_LENGTH:]
        if len(preferred) == NATIVE_ID_LENGTH:
            with suppress(ShareExists):
                return self.create(preferred, session_id, NATIVE, created_by=created_by, member=member)
        id = secrets.token_urlsafe(RANDOM_ID_BYTES)
        return self.create(id, session_id, NATIVE, created_by=created_by, member=member)

    def find(self, share_id: str) -> Share | None:
        """The row of a share that was not deleted; None for deleted and unknown ids alike."""
        if not is_share_id(share_id):
            return None
        return db.session.scalar(select(Share).where(Share.share_id == share_id, Share.deleted_at.is_(None)))

    def authorize(self, share_id: str, secret: str) -> Share:
        """The live share with this id. Raises ShareNotFound, WrongSecret, SealedSecret or ShareExpired."""
        share = self.find(share_id)
        if share is None:
            raise ShareNotFound
        check_secret(share, secret)
        expires_at = self.expiry_of(share)
        if expires_at and expires_at <= datetime.now(UTC):
            raise ShareExpired
        return share

    def sign_upload(self, share: Share, declaration: UploadDeclaration) -> SignedUpload:
        """An upload link for the document of a share.

        It is valid for UPLOAD_LINK_LIFETIME from the row's `last_link_at`, or until the share expires.
        """
        return self._sign(share, document_key(share.share_id), declaration, share.last_link_at)

    def sign_object(self, share: Share, key: str, declaration: UploadDeclaration) -> SignedUpload:
        """An upload link for an object beside the document, which counts from its commit.

        Before the first commit it is recorded in the row, as every link is.
        """
        now = datetime.now(UTC)
        if share.revision == 0:
            is_waiting = (Share.share_id == share.share_id) & (Share.revision == 0)
            live = is_waiting & Share.deleted_at.is_(None)
            db.session.execute(update(Share).where(live).values(last_link_at=now))
            db.session.commit()
        return self._sign(share, key, declaration, now)

    def renew_upload(self, share: Share, declaration: UploadDeclaration) -> SignedUpload:
        """A new upload link, recorded in the share's row.

        Raises ShareNotFound if it was just deleted, or StorageError.
        """
        if share.synced_at is None or share.last_link_at > share.synced_at:
            return self._renew(share, declaration)
        # What was written there before the last commit must not count because there is a newer link.
        with advisory_lock(share.share_id) as is_acquired:
            if not is_acquired:
                raise StorageError("the session is being checkpointed; this takes a moment")
            self._store.delete(document_key(share.share_id))
            return self._renew(share, declaration)

    def update(self, share: Share, **values: Any) -> Share:
        """Replaces columns of a share, such as `audience` and `password`, or `expires_at`.

        Raises ShareNotFound if it was just deleted.
        """
        live = (Share.share_id == share.share_id) & Share.deleted_at.is_(None)
        updated: Share | None = db.session.scalar(update(Share).where(live).values(**values).returning(Share))
        if updated is None:
            raise ShareNotFound
        db.session.commit()
        return updated

    def claim(self, share: Share, member_id: str) -> bool:
        """Makes a share that of a member; not one that has an owner, or was just deleted."""
        is_free = (Share.share_id == share.share_id) & Share.deleted_at.is_(None) & Share.member.is_(None)
        claimed = db.session.execute(
            update(Share).where(is_free).values(member=member_id).returning(Share.share_id)
        ).first()
        db.session.commit()
        return claimed is not None

    def expiry_of(self, share: Share) -> datetime | None:
        """When a share expires, as its author and the server say; None for never."""
        return self._expiry.of(share.created_at, share.expires_at)

    def delete(self, share_id: str, secret: str) -> LiveShare:
        """Deletes a share, also one that has expired, for whoever knows its secret or removal secret.

        First for every reader, then its objects; if the store fails, these go when it is back. Raises
        ShareNotFound, WrongSecret or SealedSecret.
        """
        share = db.session.get(Share, share_id) if is_share_id(share_id) else None
        if share is None or share.deleted_at:
            raise ShareNotFound
        check_removal(share, secret)
        return self.delete_owned(share_id)

    def delete_owned(self, share_id: str) -> LiveShare:
        """As `delete`, for a caller who knows that its owner wants that. Raises ShareNotFound."""
        share = self.find(share_id)
        if share is None:
            raise ShareNotFound
        live = LiveShare.from_row(share_id, share.created_at, share.last_link_at)
        self._mark_deleted(share_id)
        self._object_cleanup.run_or_log(share_id)
        return live

    def delete_unchecked(self, share_id: str) -> LiveShare:
        """Deletes a share without asking for its secret.

        One that is deleted already has its objects deleted again. If the store fails, the share is gone all
        the same. Raises ShareNotFound or StorageError.
        """
        share = db.session.get(Share, share_id)
        if share is None:
            raise ShareNotFound
        live = LiveShare.from_row(share_id, share.created_at, share.last_link_at)
        self._mark_deleted(share_id)
        self._object_cleanup.run(share_id)
        return live

    def _renew(self, share: Share, declaration: UploadDeclaration) -> SignedUpload:
        now = datetime.now(UTC)
        if share.synced_at:
            # By the clock of another server, the last commit may be in the future.
            now = max(now, share.synced_at + timedelta(microseconds=1))
        live = (Share.share_id == share.share_id) & Share.deleted_at.is_(None)
        recorded = update(Share).where(live).values(last_link_at=now).returning(Share)
        renewed = db.session.scalar(recorded)
        if renewed is None:
            raise ShareNotFound
        upload = self.sign_upload(renewed, declaration)
        db.session.commit()
        return upload

    def _sign(
        self, share: Share, key: str, declaration: UploadDeclaration, issued_at: datetime
    ) -> SignedUpload:
        """A link that is valid for UPLOAD_LINK_LIFETIME, or until the share expires."""
        link_expires_at = issued_at + UPLOAD_LINK_LIFETIME
        share_expires_at = self.expiry_of(share)
        if share_expires_at:
            link_expires_at = min(link_expires_at, share_expires_at)
        # The row may have waited for a lock: counted from now the link would outlive what the row says.
        seconds = int((link_expires_at - datetime.now(UTC)).total_seconds())
        link = self._store.presign_upload(
            key, size=declaration.size, encoding=declaration.encoding, lifetime=max(1, seconds)
        )
        return SignedUpload(link, share.created_at, link_expires_at, share_expires_at)

    def _has_other_spelling(self, share_id: str) -> bool:
        """Whether another id, live or not, differs from this one only in case."""
        values = {"share_id": share_id, "lower": share_id.lower()}
        return self._connection.first(OTHER_SPELLING, values) is not None

    def _mark_deleted(self, share_id: str) -> None:
        """Also on a full disk."""
        try:
            mark_deleted(share_id)
        except OperationalError as error:
            if not is_disk_full(error) or not self._reserve.release():
                raise
            db.session.rollback()
            mark_deleted(share_id)
