"""`delete`, `purge` and `sweep`: commands that remove. Each may be repeated, and run beside the server."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import click

from app.cli.group import shares
from app.cli.options import SHARE, TAKES_IDS, as_json, dry_run, echo, print_json, progress
from app.services.container import services
from app.services.shares.cleanup import Cleanup
from app.services.shares.errors import ShareNotFound
from app.services.shares.expiry import Expiry

T = TypeVar("T")
KINDS = {
    "expired": "expired shares",
    "empty": "shares without a document",
    "strays": "objects that no share needs",
}


@shares.command(context_settings=TAKES_IDS)
@click.argument("share_ids", metavar="ID_OR_LINK...", type=SHARE, nargs=-1, required=True)
@dry_run
def delete(share_ids: tuple[str, ...], dry_run: bool) -> None:
    """Delete shares for good; no secret is needed."""
    _refuse_unknown_options(share_ids)
    has_unknown = False
    for share_id in share_ids:
        try:
            echo(_would_delete(share_id) if dry_run else _delete(share_id))
        except ShareNotFound:
            has_unknown = True
            echo(f"There is no share {share_id}.", err=True)
    if has_unknown:
        raise SystemExit(1)


@shares.command()
@dry_run
@as_json
def purge(dry_run: bool, as_json: bool) -> None:
    """Remove expired shares and their documents."""
    cleanup = _cleanup()
    expired = cleanup.expired()

    def remove(share_id: str) -> bool:
        share = cleanup.purge(share_id)
        if share:
            services().forget(share.cache_key)
        return share is not None

    removed = expired if dry_run else _remove_each(remove, expired, "Removing expired shares")
    _report({"expired": removed}, dry_run, as_json)


@shares.command()
@click.option("--force", is_flag=True, help="Even if no share has its document in the store.")
@dry_run
@as_json
def sweep(force: bool, dry_run: bool, as_json: bool) -> None:
    """Remove what shares left behind.

    That is: shares that got no document within a day, and objects older than a day that no share needs, such
    as interrupted uploads. The ids of deleted shares stay reserved.
    """
    cleanup = _cleanup()
    objects = progress(services().store.list(), "Listing documents")
    orphans = cleanup.find_orphans(objects, force=force)
    empty, strays = orphans.empty, orphans.objects
    if not dry_run:
        empty = _remove_each(cleanup.sweep_empty, empty, "Removing shares without a document")
        strays = _remove_each(cleanup.sweep_object, strays, "Removing objects that no share needs")
    _report({"empty": empty, "strays": [info.key for info in strays]}, dry_run, as_json)


def _cleanup() -> Cleanup:
    config = services().config
    return Cleanup(services().store, Expiry(config.share_max_age), services().connection)


def _refuse_unknown_options(share_ids: tuple[str, ...]) -> None:
    """Stops before anything is deleted: a misspelled `--dry-run` looks like an id."""
    cleanup = _cleanup()
    for share_id in share_ids:
        if share_id.startswith("-") and not cleanup.has_row(share_id):
            raise click.UsageError(f"There is neither an option nor a share {share_id}.")


def _delete(share_id: str) -> str:
    services().forget(services().shares.delete_unchecked(share_id).cache_key)
    return f"deleted {share_id}"


def _would_delete(share_id: str) -> str:
    if services().shares.find(share_id) is None:
        raise ShareNotFound
    return f"would delete {share_id}"


def _remove_each(remove: Callable[[T], bool], items: Iterable[T], label: str) -> list[T]:
    """Removes the items and returns those that were still there."""
    return [item for item in progress(items, label) if remove(item)]


def _report(removed: dict[str, list[str]], dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({"dryRun": dry_run, "removed": removed})
        return
    for kind, names in removed.items():
        echo(f"{KINDS[kind]}: {len(names)} {'to remove' if dry_run else 'removed'}")
        for name in names:
            echo(f"  {name}")
