"""`list`, `show` and `stats`: commands that only read."""

from __future__ import annotations

from typing import Any

import click
import msgspec
from msgspec.structs import asdict

from app.cli.group import shares
from app.cli.options import (
    AGE,
    SHARE,
    SIZE,
    TAKES_IDS,
    as_json,
    echo,
    format_size,
    format_time,
    milliseconds,
    print_json,
    progress,
)
from app.opencode import UnreadableDocument
from app.services.container import services
from app.services.shares.errors import ShareExpired, ShareNotFound
from app.services.shares.expiry import Expiry
from app.services.shares.inventory import Inventory, ShareFilter, ShareSummary
from app.storage import objects_of

ROW = "{:<20}  {:<16}  {:<16}  {:>9}  {:<16}  {}"


@shares.command("list")
@click.option("--older-than", type=AGE, help="Only shares made longer ago, such as 30d, 12h or 90m.")
@click.option("--newer-than", type=AGE, help="Only shares made since.")
@click.option("--larger-than", type=SIZE, help="Only documents of more bytes, such as 500KB or 10MB.")
@click.option("--never-uploaded", is_flag=True, help="Only shares without a document.")
@click.option("--expired", is_flag=True, help="Only shares that have expired and were not purged yet.")
@click.option("--created-by", metavar="NAME", help="Only shares made with the token of this name.")
@as_json
def list_shares(as_json: bool, **filters: Any) -> None:
    """List shares, oldest first."""
    objects = progress(services().store.list(), "Listing documents")
    summaries = _inventory().list(objects, ShareFilter(**filters))
    if as_json:
        print_json([_as_json(share) for share in summaries])
        return
    echo(ROW.format("SHARE", "CREATED (UTC)", "UPLOADED (UTC)", "SIZE", "EXPIRES (UTC)", "CREATED BY"))
    for share in summaries:
        expires = "expired" if share.has_expired else format_time(share.expires_at)
        times = format_time(share.created_at), format_time(share.uploaded_at)
        size = format_size(share.size)
        echo(ROW.format(share.share_id, *times, size, expires, share.created_by or "-"))


@shares.command(context_settings=TAKES_IDS)
@click.argument("share_id", metavar="ID_OR_LINK", type=SHARE)
@as_json
def show(share_id: str, as_json: bool) -> None:
    """Show one share, with the title of its session."""
    share = _inventory().get(share_id, objects_of(services().store, share_id))
    if share is None:
        raise ShareNotFound
    fields = {**_as_json(share), **_contents(share_id)}
    if as_json:
        print_json(fields)
        return
    times = {
        "createdAt": format_time(share.created_at),
        "uploadedAt": format_time(share.uploaded_at),
        "expiresAt": format_time(share.expires_at),
        "size": format_size(share.size),
    }
    for name, value in {**fields, **times}.items():
        echo(f"{name + ':':<13} {'-' if value is None else value}")


@shares.command()
@as_json
def stats(as_json: bool) -> None:
    """Count shares and the bytes of their documents."""
    totals = _inventory().totals(progress(services().store.list(), "Listing documents"))
    if as_json:
        print_json(msgspec.to_builtins(totals))
        return
    in_text = {
        "bytes": format_size(totals.bytes),
        "largest_bytes": format_size(totals.largest_bytes),
        "created_by": ", ".join(f"{name} {count}" for name, count in totals.created_by.items()) or "-",
    }
    for name, value in {**asdict(totals), **in_text}.items():
        echo(f"{name.replace('_', ' ') + ':':<21} {value}")


def _inventory() -> Inventory:
    return Inventory(Expiry(services().config.share_max_age))


def _as_json(share: ShareSummary) -> dict[str, Any]:
    """A share in the field names of the API."""
    return {
        "shareId": share.share_id,
        "url": f"{services().config.BASE_URL}/share/{share.share_id}",
        "sessionId": share.session_id,
        "createdBy": share.created_by,
        "createdAt": milliseconds(share.created_at),
        "uploadedAt": milliseconds(share.uploaded_at),
        "size": share.size,
        "expiresAt": milliseconds(share.expires_at),
        "expired": share.has_expired,
    }


def _contents(share_id: str) -> dict[str, Any]:
    """The title of the session; nothing for a share that has expired or got no document."""
    try:
        version = services().documents.reload(services().shares.get_live(share_id))
        return {"title": services().documents.index(version).conversation.title} if version else {}
    except ShareExpired:
        return {}
    except UnreadableDocument as error:
        return {"unreadable": str(error)}
