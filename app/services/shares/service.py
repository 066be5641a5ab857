"""The life of a share: create it, prove whose it is, renew its upload link, delete it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import bindparam, insert, select, update

from app.db.connection import StandingConnection
from app.db.extensions import db
from app.db.models import NATIVE, UPLOAD, Share
from app.services.shares.expiry import Expiry
from app.services.shares.live_share import LINK_LIFETIME, Life
from app.services.shares.tombstones import bury, drop
from app.storage import ObjectStore, UploadLink, document_key

SECRET_BYTES = 24
NATIVE_ID_LENGTH = 8
RANDOM_ID_BYTES = 9
# SQLite takes some ten thousand values in a statement.
IDS_AT_ONCE = 1000
SHARE_ID = r"[A-Za-z0-9_-]{1,64}"

# Every page asks this first: a statement made once and without the ORM costs a third of one with it.
LIFE = select(Share.share_id, Share.created_at, Share.last_link_at, Share.revision, Share.expires_at)
LIVE = LIFE.where(Share.share_id == bindparam("share_id"), Share.deleted_at.is_(None))


class ShareError(Exception):
    """A share cannot do what was asked; the text is a sentence for the caller."""


class ShareExists(ShareError):
    def __init__(self) -> None:
        super().__init__("A share with this id exists already; use another id, or send its secret.")


class ShareNotFound(ShareError):
    def __init__(self) -> None:
        super().__init__("There is no share with this id; it may have been removed.")


class ShareExpired(ShareError):
    def __init__(self) -> None:
        super().__init__("This share has expired; its session is no longer to be had here.")


class OtherWayIn(ShareError):
    def __init__(self) -> None:
        super().__init__("This share was made in another way, and only the calls of that way change it.")


class WrongSecret(ShareError):
    def __init__(self) -> None:
        super().__init__("The secret of this share is missing or wrong; send it as 'X-Share-Secret'.")


@dataclass(frozen=True)
class Upload:
    """A signed link for the document of a share made at `created_at`, good until `expires_at`.

    `share_expires_at` is when the share itself expires, None for never.
    """

    link: UploadLink
    created_at: datetime
    expires_at: datetime
    share_expires_at: datetime | None


@dataclass(frozen=True)
class Declared:
    """What a client says of the document it is about to upload: `size` in bytes as sent, and its encoding."""

    size: int | None = None
    encoding: str | None = None


class Shares:
    """The shares of this server: rows in the database, documents in `store`, none beyond `expiry`."""

    def __init__(self, store: ObjectStore, expiry: Expiry, standing: StandingConnection) -> None:
        self._store = store
        self._expiry = expiry
        self._standing = standing

    def create(
        self,
        share_id: str,
        session_id: str,
        source: str = UPLOAD,
        *,
        lifetime: timedelta | None = None,
        created_by: str | None = None,
    ) -> tuple[Share, str]:
        """A new share and its secret, which is nowhere else to be had. Raises ShareExists.

        `source` is the way in that it belongs to, UPLOAD or NATIVE. It expires after `lifetime`, or sooner
        where the server says so; `created_by` names the token used.
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
            "expires_at": now + lifetime if lifetime else None,
            "created_by": created_by,
        }
        add = partial(self._standing.add, insert(Share), row)
        if not add() and not (drop(share_id, self._store) and add()):
            raise ShareExists
        return Share(**row), secret

    def create_native(self, session_id: str, created_by: str | None = None) -> tuple[Share, str]:
        """A new share for OpenCode's own protocol, with its secret.

        Its id is the end of the session's, as OpenCode's vendor has it; when that is taken, a random one. An
        imported session keeps the id of its author's, so the id of a session proves nothing.
        """
        try:
            return self.create(session_id[-NATIVE_ID_LENGTH:], session_id, NATIVE, created_by=created_by)
        except ShareExists:
            id = secrets.token_urlsafe(RANDOM_ID_BYTES)
            return self.create(id, session_id, NATIVE, created_by=created_by)

    def find(self, share_id: str) -> Share | None:
        """The share with this id that was not deleted; deleted and unknown ones are both None."""
        if not is_share_id(share_id):
            return None
        return db.session.scalar(select(Share).where(Share.share_id == share_id, Share.deleted_at.is_(None)))

    def life(self, share_id: str) -> Life:
        """The life of a live share. Raises ShareNotFound or ShareExpired."""
        if not is_share_id(share_id):
            raise ShareNotFound
        row = self._standing.first(LIVE, {"share_id": share_id})
        if row is None:
            raise ShareNotFound
        id, created_at, last_link_at, revision, expires_at = row
        self._refuse_expired(created_at, expires_at)
        return Life.of(id, created_at, last_link_at, revision)

    def live_names(self, names: Collection[str]) -> set[str]:
        """Those of the names of lives that have not ended."""
        ids = sorted({name.rpartition(".")[0] for name in names})
        live: set[str] = set()
        for start in range(0, len(ids), IDS_AT_ONCE):
            some = Share.share_id.in_(ids[start : start + IDS_AT_ONCE])
            rows = db.session.execute(LIFE.where(some, Share.deleted_at.is_(None)))
            live |= {
                Life.of(row.share_id, row.created_at, row.last_link_at).name
                for row in rows
                if not self._has_expired(row.created_at, row.expires_at)
            }
        return live

    def authorize(self, share_id: str, secret: str) -> Share:
        """The live share with this id. Raises ShareNotFound, WrongSecret or ShareExpired."""
        share = self.find(share_id)
        if share is None:
            raise ShareNotFound
        _prove(share, secret)
        self._refuse_expired(share.created_at, share.expires_at)
        return share

    def sign_upload(self, share: Share, declared: Declared) -> Upload:
        """An upload link for the document of a share, good for LINK_LIFETIME from its `last_link_at`, if
        the share does not expire before.
        """
        ends = share.last_link_at + LINK_LIFETIME
        expires_at = self._expiry.of(share.created_at, share.expires_at)
        if expires_at:
            ends = min(ends, expires_at)
        # The row may have waited for a lock: counted from now the link would outlive what the row says.
        seconds = int((ends - datetime.now(UTC)).total_seconds())
        link = self._store.presign_upload(
            document_key(share.share_id),
            size=declared.size,
            encoding=declared.encoding,
            lifetime=max(1, seconds),
        )
        return Upload(link, share.created_at, ends, expires_at)

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
        """Ends a share, also one that has expired, for who knows its secret.

        Raises ShareNotFound, WrongSecret or StorageError; see `remove`.
        """
        share = db.session.get(Share, share_id) if is_share_id(share_id) else None
        if share is None:
            raise ShareNotFound
        if share.deleted_at is None:
            _prove(share, secret)
        elif not _is_secret_of(share, secret) or not self._has_document(share_id):
            raise ShareNotFound
        return self.remove(share_id)

    def remove(self, share_id: str) -> Life:
        """Ends a share for every reader at once, then removes its document.

        Where the store fails the share has ended all the same, and the call may be repeated. Raises
        ShareNotFound or StorageError.
        """
        share = db.session.get(Share, share_id)
        if share is None:
            raise ShareNotFound
        life = Life.of(share_id, share.created_at, share.last_link_at, share.revision)
        bury(share_id)
        self._store.delete(document_key(share_id))
        return life

    def _has_expired(self, created_at: datetime, asked: datetime | None) -> bool:
        expires_at = self._expiry.of(created_at, asked)
        return expires_at is not None and expires_at <= datetime.now(UTC)

    def _refuse_expired(self, created_at: datetime, asked: datetime | None) -> None:
        if self._has_expired(created_at, asked):
            raise ShareExpired

    def _has_document(self, share_id: str) -> bool:
        found = self._store.open(document_key(share_id))
        if found is not None and found.body is not None:
            found.body.close()
        return found is not None


def is_share_id(text: str) -> bool:
    """Whether `text` can be the id of a share; nothing else is worth asking a database for."""
    return re.fullmatch(SHARE_ID, text) is not None


def _prove(share: Share, secret: str) -> None:
    if not _is_secret_of(share, secret):
        raise WrongSecret


def _is_secret_of(share: Share, secret: str) -> bool:
    return hmac.compare_digest(share.secret, _hashed(secret))


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
