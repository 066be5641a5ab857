"""`checkpoint`: for operators whose own programs read the bucket."""

from __future__ import annotations

from app.cli.group import shares
from app.cli.options import echo, progress
from app.services.container import services
from app.services.documents.bucket_copies import BucketCopies


@shares.command()
def checkpoint() -> None:
    """Copy each session to sessions/ID.json in the storage, for programs that read the bucket.

    The server itself never shows a copy. If the command is interrupted, run it again: copies that are up to
    date stay as they are.
    """
    copies = BucketCopies(services().store, services().live_shares, services().checkpointer)
    for _ in progress(copies, "Copying sessions"):
        pass
    echo(f"sessions copied: {copies.written}, unchanged: {copies.unchanged}, skipped: {copies.skipped}")
