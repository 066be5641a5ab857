"""Notes which sessions go on in an OpenCode that has lost the plugin, so that their pages say so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, update

from app.db.extensions import db
from app.db.models import Share
from app.services.shares.share_secrets import is_removal_secret


def note_missing_plugin(share_id: str, secret: str) -> None:
    """Notes that OpenCode has changes and no plugin to upload them, if it proves by its secret who it is.

    Only the first time after a change by the plugin is noted, since OpenCode tries with every change.
    """
    share = db.session.get(Share, share_id)
    if share is None or not is_removal_secret(share, secret):
        return
    last_change_at = share.synced_at or share.last_link_at
    # By the clock of another server, the last change may be in the future.
    now = max(datetime.now(UTC), last_change_at + timedelta(microseconds=1))
    is_live = (Share.share_id == share_id) & Share.deleted_at.is_(None)
    is_first = Share.plugin_missing_at.is_(None) | (
        Share.plugin_missing_at <= func.coalesce(Share.synced_at, Share.last_link_at)
    )
    db.session.execute(update(Share).where(is_live, is_first).values(plugin_missing_at=now))
    db.session.commit()
