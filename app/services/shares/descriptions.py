"""Title and project of sessions in the rows of their shares, for lists that cannot read every session."""

from __future__ import annotations

import logging

from sqlalchemy import Update, bindparam, select, update
from sqlalchemy.exc import SQLAlchemyError

from app.db.connection import AutocommitConnection
from app.db.models import Share
from app.opencode import Description
from app.services.shares.live_share import LiveShare

KNOWN = select(Share.title, Share.project).where(
    Share.share_id == bindparam("id"), Share.deleted_at.is_(None)
)
REPLACE = (
    update(Share)
    .where(Share.share_id == bindparam("id"), Share.created_at == bindparam("created"))
    .where(Share.deleted_at.is_(None))
    .values(title=bindparam("new_title"), project=bindparam("new_project"))
)
FILL = REPLACE.where(Share.title.is_(None))

logger = logging.getLogger(__name__)


class Descriptions:
    """Writes only what is new: on SQLite, an UPDATE that changes nothing waits for other writers as well."""

    def __init__(self, connection: AutocommitConnection) -> None:
        self._connection = connection

    def replace(self, share: LiveShare, description: Description) -> None:
        """Makes this the description of a live share.

        The page of a session does not need it: a failure of the database is logged, and the next version, or
        `flask shares backfill-titles`, tries again.
        """
        try:
            if self._connection.first(KNOWN, {"id": share.share_id}) not in (None, description):
                self._execute(REPLACE, share, description)
        except SQLAlchemyError as error:
            logger.warning("the title of share %s could not be written: %s", share.share_id, error)

    def fill(self, share: LiveShare, description: Description) -> bool:
        """As `replace`, for a share without one. Returns whether it was; a failure of the database is raised.

        Whoever has written one meanwhile has read a later version.
        """
        return self._execute(FILL, share, description)

    def _execute(self, statement: Update, share: LiveShare, description: Description) -> bool:
        values = {"id": share.share_id, "created": share.created_at}
        new = {"new_title": description.title, "new_project": description.project}
        return self._connection.execute(statement, {**values, **new}).rowcount > 0
