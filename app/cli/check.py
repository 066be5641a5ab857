"""`check` and `prepare-downgrade`: for operators who have restored a backup, or go back a release."""

from __future__ import annotations

import click
from sqlalchemy import select

from app.cli.group import shares
from app.cli.options import as_json, echo, print_json, progress
from app.db.extensions import db
from app.db.models import Share
from app.services.container import services
from app.services.documents.consistency import Consistency


@shares.command()
@click.option("--repair", is_flag=True, help="Bring together what does not fit; stop the server first.")
@as_json
def check(repair: bool, as_json: bool) -> None:
    """Compare the database with the storage, as after a restore of either.

    Prints a line for each share that does not fit, and exits with status 1 if something is left to do.
    """
    consistency = _consistency()
    objects = progress(services().store.list(), "Listing documents")
    differences = list(consistency.differences(objects))
    left = [difference for difference in differences if not (repair and difference.is_repairable)]
    if repair:
        for difference in progress([each for each in differences if each.is_repairable], "Repairing shares"):
            consistency.repair(difference.share_id)
    if as_json:
        print_json([{"shareId": each.share_id, "problem": each.sentence} for each in differences])
    else:
        for each in differences:
            state = "repaired" if each not in left else "not repaired" if repair else "differs"
            echo(f"{each.share_id}: {each.sentence} ({state})")
        echo(f"{len(differences)} shares differ, {len(differences) - len(left)} repaired")
    if left:
        raise SystemExit(1)


@shares.command("prepare-downgrade")
def prepare_downgrade() -> None:
    """Store all sessions where a release before 0.2 finds them, before 'flask db downgrade'.

    Stop the server first.
    """
    consistency = _consistency()
    named = list(db.session.scalars(select(Share.share_id).where(Share.checkpoint.is_not(None))))
    for share_id in progress(named, "Writing sessions back"):
        consistency.write_back(share_id)
    echo(f"{len(named)} sessions written back")


def _consistency() -> Consistency:
    return Consistency(services().store, services().synced, services().object_cleanup)
