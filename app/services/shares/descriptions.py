"""Title, project and size of sessions in the rows of shares, for lists that cannot read every session."""

from __future__ import annotations

import logging

from sqlalchemy import Update, and_, bindparam, func, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from app.db.connection import AutocommitConnection
from app.db.models import Share
from app.opencode import Description
from app.services.shares.live_share import LiveShare

KNOWN = select(Share.title, Share.project, Share.upload_bytes).where(
    Share.share_id == bindparam("id"), Share.deleted_at.is_(None)
)
REPLACE = (
    update(Share)
    .where(Share.share_id == bindparam("id"), Share.created_at == bindparam("created"))
    .where(Share.deleted_at.is_(None))
    .values(
        title=bindparam("new_title"),
        project=bindparam("new_project"),
        upload_bytes=func.coalesce(bindparam("new_bytes"), Share.upload_bytes),
    )
)
# Of what is synced or committed, the row knows the size anyway.
IS_UNREAD = or_(Share.title.is_(None), and_(Share.revision == 0, Share.upload_bytes.is_(None)))
FILL = REPLACE.where(IS_UNREAD)

logger = logging.getLogger(__name__)


class Descriptions:
    """Writes only what is new: on SQLite, an UPDATE that changes nothing waits for other writers as well."""

    def __init__(self, connection: AutocommitConnection) -> None:
        self._connection = connection

    def replace(self, share: LiveShare, description: Description, upload_bytes: int | None = None) -> None:
        """Makes this the description of a live share; `upload_bytes` is None where the row knows the size.

        The page of a session does not need it: a failure of the database is logged, and the next version, or
        `flask shares backfill-titles`, tries again.
        """
        try:
            known = self._connection.first(KNOWN, {"id": share.share_id})
            if known and known != (*description, known[2] if upload_bytes is None else upload_bytes):
                self._execute(REPLACE, share, description, upload_bytes)
        except SQLAlchemyError as error:
            logger.warning("the title of share %s could not be written: %s", share.share_id, error)

    def fill(self, share: LiveShare, description: Description, upload_bytes: int | None = None) -> bool:
        """As `replace`, for a share without one. Returns whether it was; a failure of the database is raised.

        Whoever has written one meanwhile has read a later version.
        """
        return self._execute(FILL, share, description, upload_bytes)

    def _execute(
        self, statement: Update, share: LiveShare, description: Description, upload_bytes: int | None
    ) -> bool:
        values = {"id": share.share_id, "created": share.created_at}
        new = {"title": description.title, "project": description.project, "bytes": upload_bytes}
        values |= {f"new_{name}": value for name, value in new.items()}
        return self._connection.execute(statement, values).rowcount > 0
