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
from app.opencode.titles import shortened
from app.services.container import services
from app.services.shares.errors import ShareExpired, ShareNotFound
from app.services.shares.expiry import Expiry
from app.services.shares.inventory import Inventory, ShareFilter, ShareSummary
from app.storage import objects_of

ROW = "{:<20}  {:<16}  {:<16}  {:>9}  {:<16}  {:<12}  {:<20}  {}"
MAX_PROJECT = 20
MAX_TITLE = 60


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
    times = "CREATED (UTC)", "UPLOADED (UTC)"
    echo(ROW.format("SHARE", *times, "SIZE", "EXPIRES (UTC)", "CREATED BY", "PROJECT", "TITLE"))
    for share in summaries:
        expires = "expired" if share.has_expired else format_time(share.expires_at)
        times = format_time(share.created_at), format_time(share.uploaded_at)
        size = format_size(share.size)
        names = shortened(share.project or "-", MAX_PROJECT), shortened(share.title or "-", MAX_TITLE)
        echo(ROW.format(share.share_id, *times, size, expires, share.created_by or "-", *names))


@shares.command(context_settings=TAKES_IDS)
@click.argument("share_id", metavar="ID_OR_LINK", type=SHARE)
@as_json
def show(share_id: str, as_json: bool) -> None:
    """Show one share, with the title of its session."""
    reason = _read(share_id)
    share = _inventory().get(share_id, objects_of(services().store, share_id))
    if share is None:
        raise ShareNotFound
    fields = _as_json(share)
    if reason:
        fields["unreadable"] = reason
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
        "title": share.title,
        "project": share.project,
        "createdBy": share.created_by,
        "createdAt": milliseconds(share.created_at),
        "uploadedAt": milliseconds(share.uploaded_at),
        "size": share.size,
        "expiresAt": milliseconds(share.expires_at),
        "expired": share.has_expired,
    }


def _read(share_id: str) -> str | None:
    """Reads the session, which writes its title into the row. Returns why it cannot be read."""
    try:
        services().documents.reload(services().shares.get_live(share_id))
    except ShareExpired:
        pass
    except UnreadableDocument as error:
        return str(error)
    return None
