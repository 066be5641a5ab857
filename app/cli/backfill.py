"""`backfill-titles`: for shares from before rows had titles, and for those that nobody has opened."""

from __future__ import annotations

from app.cli.group import shares
from app.cli.options import echo, progress
from app.services.container import services
from app.services.documents.backfill import Backfill


@shares.command("backfill-titles")
def backfill_titles() -> None:
    """Read title, project and size of every share that lists show without them.

    May run beside the server. If the command is interrupted, run it again: it continues where it stopped.
    """
    backfill = Backfill(services().live_shares, services().documents, services().descriptions)
    for _ in progress(backfill, "Reading titles"):
        pass
    echo(f"titles read: {backfill.filled}, sessions that cannot be read: {backfill.unreadable}")
