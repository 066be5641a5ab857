"""The life of a share: create it, prove whose it is, renew its upload link, delete it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from app.extensions import db
from app.life import Life
from app.models import NATIVE, UPLOAD, Share, ShareEvent
from app.storage import ObjectStore, UploadLink, document_key

LINK_LIFETIME = timedelta(hours=1)
SECRET_BYTES = 24
NATIVE_ID_LENGTH = 8
RANDOM_ID_BYTES = 9
SHARE_ID = r"[A-Za-z0-9_-]{1,64}"

# Every page asks this first: a statement made once and without the ORM costs a third of one with it.
LIFE = select(Share.share_id, Share.created_at, Share.last_link_at, Share.revision)
LIVE = LIFE.where(Share.share_id == bindparam("share_id"), Share.deleted_at.is_(None))


class ShareError(Exception):
    """A share cannot do what was asked; the text is a sentence for the caller."""


class ShareExists(ShareError):
    def __init__(self) -> None:
        super().__init__("A share with this id exists already; use another id, or send its secret.")


class ShareNotFound(ShareError):
    def __init__(self) -> None:
        super().__init__("There is no share with this id; it may have been removed.")


class OtherWayIn(ShareError):
    def __init__(self) -> None:
        super().__init__("This share was made in another way, and only the calls of that way change it.")


class WrongSecret(ShareError):
    def __init__(self) -> None:
        super().__init__("The secret of this share is missing or wrong; send it as 'X-Share-Secret'.")


@dataclass(frozen=True)
class Upload:
    """A signed link for the document of a share made at `created_at`, good until `expires_at`."""

    link: UploadLink
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class Declared:
    """What a client says of the document it is about to upload: `size` in bytes as sent, and its encoding."""

    size: int | None = None
    encoding: str | None = None


class Shares:
    """The shares of this server: rows in the database, documents in `store`."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    def create(self, share_id: str, session_id: str, source: str = UPLOAD) -> tuple[Share, str]:
        """A new share and its secret, which is nowhere else to be had. Raises ShareExists.

        `source` is the way in that it belongs to, UPLOAD or NATIVE.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)
        now = datetime.now(UTC)
        row = {
            "share_id": share_id,
            "session_id": session_id,
            "secret": _hashed(secret),
            "created_at": now,
            "last_link_at": now,
            "source": source,
        }
        if not _insert(row) and not (self._drop_tombstone(share_id) and _insert(row)):
            raise ShareExists
        return Share(**row), secret

    def create_native(self, session_id: str) -> tuple[Share, str]:
        """A new share for OpenCode's own protocol, with its secret.

        Its id is the end of the session's, as OpenCode's vendor has it; when that is taken, a random one. An
        imported session keeps the id of its author's, so the id of a session proves nothing.
        """
        try:
            return self.create(session_id[-NATIVE_ID_LENGTH:], session_id, NATIVE)
        except ShareExists:
            return self.create(secrets.token_urlsafe(RANDOM_ID_BYTES), session_id, NATIVE)

    def find(self, share_id: str) -> Share | None:
        """The live share with this id; deleted and unknown ones are both None."""
        if not is_share_id(share_id):
            return None
        return db.session.scalar(select(Share).where(Share.share_id == share_id, Share.deleted_at.is_(None)))

    def life(self, share_id: str) -> Life:
        """The life of a live share. Raises ShareNotFound."""
        if not is_share_id(share_id):
            raise ShareNotFound
        with db.engine.connect() as connection:
            row = connection.execute(LIVE, {"share_id": share_id}).first()
        if row is None:
            raise ShareNotFound
        return _life(*row)

    def live_names(self, names: Collection[str]) -> set[str]:
        """Those of the names of lives that have not ended."""
        ids = {name.rpartition(".")[0] for name in names}
        live = LIFE.where(Share.share_id.in_(ids), Share.deleted_at.is_(None))
        return {_life(*row).name for row in db.session.execute(live)}

    def authorize(self, share_id: str, secret: str) -> Share:
        """The live share with this id. Raises ShareNotFound, or WrongSecret."""
        share = self.find(share_id)
        if share is None:
            raise ShareNotFound
        return _proved(share, secret)

    def sign_upload(self, share: Share, declared: Declared) -> Upload:
        """An upload link for the document of a share, good for LINK_LIFETIME from its `last_link_at`."""
        ends = share.last_link_at + LINK_LIFETIME
        link = self._store.presign_upload(
            document_key(share.share_id),
            size=declared.size,
            encoding=declared.encoding,
            # The row may have waited for a lock: counted from now the link would outlive what the row says.
            lifetime=int((ends - datetime.now(UTC)).total_seconds()),
        )
        return Upload(link, share.created_at, ends)

    def renew_upload(self, share: Share, declared: Declared) -> Upload:
        """A fresh upload link, noted in the share's row. Raises ShareNotFound if it was just deleted."""
        live = (Share.share_id == share.share_id) & Share.deleted_at.is_(None)
        noted = update(Share).where(live).values(last_link_at=datetime.now(UTC)).returning(Share)
        renewed = db.session.scalar(noted)
        if renewed is None:
            raise ShareNotFound
        upload = self.sign_upload(renewed, declared)
        db.session.commit()
        return upload

    def delete(self, share_id: str, secret: str) -> Life:
        """Ends the share for every reader at once, then removes its document.

        Where the store fails the share has ended all the same, and the call may be repeated. Raises
        ShareNotFound, WrongSecret or StorageError.
        """
        share = db.session.get(Share, share_id) if is_share_id(share_id) else None
        if share is None:
            raise ShareNotFound
        if share.deleted_at is None:
            _proved(share, secret).deleted_at = datetime.now(UTC)
            share.session_id = ""
            db.session.execute(delete(ShareEvent).where(ShareEvent.share_id == share_id))
            db.session.commit()
        elif not _is_secret_of(share, secret) or not self._has_document(share_id):
            raise ShareNotFound
        self._store.delete(document_key(share_id))
        return _life(share.share_id, share.created_at, share.last_link_at, share.revision)

    def _drop_tombstone(self, share_id: str) -> bool:
        """Frees the id of a deleted share once no upload link for it can still be used."""
        expired = datetime.now(UTC) - LINK_LIFETIME
        tombstone = (Share.share_id == share_id) & Share.deleted_at.is_not(None)
        dropped = db.session.scalar(
            delete(Share).where(tombstone, Share.last_link_at < expired).returning(Share.share_id)
        )
        if dropped:
            # An upload that came after the delete may have left a document that nobody should see.
            self._store.delete(document_key(share_id))
        db.session.commit()
        return dropped is not None

    def _has_document(self, share_id: str) -> bool:
        found = self._store.open(document_key(share_id))
        if found is not None and found.body is not None:
            found.body.close()
        return found is not None


def _insert(row: dict[str, Any]) -> bool:
    """Whether the row went in; the primary key alone decides between two that come at once."""
    try:
        db.session.execute(insert(Share).values(row))
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return False
    return True


def _life(share_id: str, created_at: datetime, last_link_at: datetime, revision: int) -> Life:
    return Life(share_id, created_at, last_link_at + LINK_LIFETIME, revision)


def is_share_id(text: str) -> bool:
    """Whether `text` can be the id of a share; nothing else is worth asking a database for."""
    return re.fullmatch(SHARE_ID, text) is not None


def _proved(share: Share, secret: str) -> Share:
    if not _is_secret_of(share, secret):
        raise WrongSecret
    return share


def _is_secret_of(share: Share, secret: str) -> bool:
    return hmac.compare_digest(share.secret, _hashed(secret))


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
