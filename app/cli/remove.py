"""`delete`, `purge` and `sweep`: what goes. Each may be repeated, and run beside the server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import click

from app.cli.group import shares
from app.cli.options import SHARE, TAKES_IDS, as_json, dry_run, print_json, progress
from app.services.container import parts
from app.services.shares.cleanup import Upkeep
from app.services.shares.expiry import Expiry
from app.services.shares.service import ShareNotFound

T = TypeVar("T")
KINDS = {
    "expired": "expired shares",
    "empty": "shares without a document",
    "strays": "documents without a share",
    "tombstones": "ids of deleted shares",
}


@shares.command(context_settings=TAKES_IDS)
@click.argument("share_ids", metavar="ID_OR_LINK...", type=SHARE, nargs=-1, required=True)
@dry_run
def delete(share_ids: tuple[str, ...], dry_run: bool) -> None:
    """Delete shares for good; no secret is needed."""
    _refuse_unknown_options(share_ids)
    unknown = False
    for share_id in share_ids:
        try:
            click.echo(_would_delete(share_id) if dry_run else _delete(share_id))
        except ShareNotFound:
            unknown = True
            click.echo(f"There is no share {share_id}.", err=True)
    if unknown:
        raise SystemExit(1)


@shares.command()
@dry_run
@as_json
def purge(dry_run: bool, as_json: bool) -> None:
    """Remove the shares that have expired, and their documents."""
    upkeep = _upkeep()
    expired = upkeep.expired()

    def remove(share_id: str) -> bool:
        life = upkeep.purge(share_id)
        if life:
            parts().forget(life.name)
        return life is not None

    removed = expired if dry_run else _those_that(remove, expired, "Removing expired shares")
    _report({"expired": removed}, dry_run, as_json)


@shares.command()
@click.option("--force", is_flag=True, help="Also when no share has its document in the store.")
@dry_run
@as_json
def sweep(force: bool, dry_run: bool, as_json: bool) -> None:
    """Remove what shares left behind.

    That is: shares that got no document within a day, documents and broken uploads of more than a day that
    belong to no share, and what keeps the ids of deleted shares from being used again, once it may go.
    """
    upkeep = _upkeep()
    objects = progress(parts().store.objects(), "Listing documents")
    found = upkeep.leftovers(objects, is_sure=force)
    empty, tombstones, strays = found.empty, found.tombstones, found.strays
    if not dry_run:
        empty = _those_that(upkeep.sweep_empty, empty, "Removing shares without a document")
        strays = _those_that(upkeep.sweep_stray, strays, "Removing documents without a share")
        tombstones = _those_that(upkeep.sweep_tombstone, tombstones, "Freeing ids of deleted shares")
    removed = {
        "empty": empty,
        "strays": [stray.key for stray in strays],
        "tombstones": tombstones,
    }
    _report(removed, dry_run, as_json)


def _upkeep() -> Upkeep:
    return Upkeep(parts().store, Expiry(parts().config.share_max_age), parts().standing)


def _refuse_unknown_options(share_ids: tuple[str, ...]) -> None:
    """Stops before anything is deleted: a misspelled `--dry-run` looks like an id."""
    upkeep = _upkeep()
    for share_id in share_ids:
        if share_id.startswith("-") and not upkeep.knows(share_id):
            raise click.UsageError(f"There is neither an option nor a share {share_id}.")


def _delete(share_id: str) -> str:
    parts().forget(parts().shares.remove(share_id).name)
    return f"deleted {share_id}"


def _would_delete(share_id: str) -> str:
    if parts().shares.find(share_id) is None:
        raise ShareNotFound
    return f"would delete {share_id}"


def _those_that(remove: Callable[[T], bool], items: Iterable[T], label: str) -> list[T]:
    return [item for item in progress(items, label) if remove(item)]


def _report(removed: dict[str, list[str]], dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({"dryRun": dry_run, "removed": removed})
        return
    for kind, names in removed.items():
        click.echo(f"{KINDS[kind]}: {len(names)} {'to remove' if dry_run else 'removed'}")
        for name in names:
            click.echo(f"  {name}")
