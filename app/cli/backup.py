"""`backup` and `restore`."""

from __future__ import annotations

from pathlib import Path

import click
from flask_migrate import upgrade

from app.cli.group import shares
from app.cli.options import echo, format_size, progress
from app.db.extensions import db
from app.services.backup.backup import Backup
from app.services.backup.entries import BackupError
from app.services.backup.folder import BackupFolder
from app.services.backup.restore import Restore
from app.services.container import services
from app.services.members.copied_accounts import read_accounts
from app.services.shares.live_share import LiveShare

MIGRATIONS = Path(__file__).parents[2] / "migrations"
# So many names of shares stand in a message.
MAX_NAMES = 20

folder = click.argument(
    "path", metavar="DIR", type=click.Path(file_okay=False, resolve_path=True, path_type=Path)
)


@shares.command("backup")
@folder
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="Remove older backups than the newest so many.",
)
def back_up(path: Path, keep: int) -> None:
    """Back up all shares into DIR, their rows and their documents, and the members and their tokens.

    May run beside the server. Documents that DIR has already are not fetched again. Exits with status 1 if a
    document is no longer in the storage; what DIR has of it stays there.
    """
    backups = BackupFolder(path)
    with backups.writing(lambda warning: echo(warning, err=True)):
        backup = Backup(db.engine, services().store, backups)
        accounts = read_accounts(db.engine)
        name = backups.add(progress(backup, "Backing up shares"), accounts)
        removed = backups.rotate(keep)
    report = backup.report
    size = format_size(report.fetched_bytes)
    echo(
        f"backup {name}: {report.shares} shares, {report.documents} documents "
        f"({report.fetched} new, {size}), {len(accounts.members)} members"
    )
    if removed:
        echo(f"backups removed: {len(removed)}")
    if report.missing:
        raise click.ClickException(f"These documents are missing in the storage: {_names(report.missing)}")


@shares.command()
@folder
@click.option("--at", "name", metavar="NAME", help="A backup of DIR/snapshots; by default the newest.")
def restore(path: Path, name: str | None) -> None:
    """Bring the shares and members of a backup back. Stop the server first.

    What is in the database and the storage stays if it is newer. What was deleted or revoked since the backup
    stays so, as far as this or a later backup knows. The command may be repeated.
    """
    backups = BackupFolder(path)
    names = backups.names()
    if name is None and names:
        name = names[-1]
    if name is None or name not in names:
        raise BackupError(f"There is no backup{f' {name}' if name else ''} in {str(path)!r}.")
    upgrade(directory=str(MIGRATIONS))
    restoration = Restore(db.engine, services().store, backups, name)
    for share in progress(restoration, "Restoring shares"):
        services().forget(LiveShare.from_row(share.share_id, share.created_at, share.last_link_at).cache_key)
    report = restoration.report
    size = format_size(report.bytes)
    echo(
        f"restored from {name}: {report.shares} shares, {report.documents} documents ({size}), "
        f"{report.members} members"
    )
    if report.failed:
        raise click.ClickException(f"These documents could not be brought back: {_names(report.failed)}")


def _names(share_ids: list[str]) -> str:
    more = len(share_ids) - MAX_NAMES
    return ", ".join(share_ids[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
