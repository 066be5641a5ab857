"""`list`, `show` and `stats`: what there is."""

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
    in_words,
    milliseconds,
    print_json,
    progress,
    size_in_words,
)
from app.opencode import UnreadableDocument
from app.services.container import parts
from app.services.shares.expiry import Expiry
from app.services.shares.inventory import Entry, Inventory, Wanted
from app.services.shares.service import ShareExpired, ShareNotFound
from app.storage import document_key

ROW = "{:<20}  {:<16}  {:<16}  {:>9}  {:<16}  {}"


@shares.command("list")
@click.option("--older-than", type=AGE, help="Only shares made longer ago, such as 30d, 12h or 90m.")
@click.option("--newer-than", type=AGE, help="Only shares made since.")
@click.option("--larger-than", type=SIZE, help="Only documents of more bytes, such as 500KB or 10MB.")
@click.option("--never-uploaded", is_flag=True, help="Only shares without a document.")
@click.option("--expired", is_flag=True, help="Only shares that have expired and were not purged yet.")
@click.option("--created-by", metavar="NAME", help="Only shares made with the token of this name.")
@as_json
def list_shares(as_json: bool, **wanted: Any) -> None:
    """List shares, oldest first."""
    objects = progress(parts().store.objects(), "Listing documents")
    entries = _inventory().entries(objects, Wanted(**wanted))
    if as_json:
        print_json([_as_json(entry) for entry in entries])
        return
    click.echo(ROW.format("SHARE", "CREATED (UTC)", "UPLOADED (UTC)", "SIZE", "EXPIRES (UTC)", "CREATED BY"))
    for entry in entries:
        expires = "expired" if entry.has_expired else in_words(entry.expires_at)
        times = in_words(entry.created_at), in_words(entry.uploaded_at)
        size = size_in_words(entry.size)
        click.echo(ROW.format(entry.share_id, *times, size, expires, entry.created_by or "-"))


@shares.command(context_settings=TAKES_IDS)
@click.argument("share_id", metavar="ID_OR_LINK", type=SHARE)
@as_json
def show(share_id: str, as_json: bool) -> None:
    """Show one share and what its document says of itself."""
    key = document_key(share_id)
    entry = _inventory().entry(share_id, parts().store.objects(key))
    if entry is None:
        raise ShareNotFound
    facts = {**_as_json(entry), **_contents(share_id)}
    if as_json:
        print_json(facts)
        return
    times = {
        "createdAt": in_words(entry.created_at),
        "uploadedAt": in_words(entry.uploaded_at),
        "expiresAt": in_words(entry.expires_at),
        "size": size_in_words(entry.size),
    }
    for name, value in {**facts, **times}.items():
        click.echo(f"{name + ':':<13} {'-' if value is None else value}")


@shares.command()
@as_json
def stats(as_json: bool) -> None:
    """Count shares and the bytes of their documents."""
    totals = _inventory().totals(progress(parts().store.objects(), "Listing documents"))
    if as_json:
        print_json(msgspec.to_builtins(totals))
        return
    in_text = {
        "bytes": size_in_words(totals.bytes),
        "largest_bytes": size_in_words(totals.largest_bytes),
        "created_by": ", ".join(f"{name} {count}" for name, count in totals.created_by.items()) or "-",
    }
    for name, value in {**asdict(totals), **in_text}.items():
        click.echo(f"{name.replace('_', ' ') + ':':<21} {value}")


def _inventory() -> Inventory:
    return Inventory(Expiry(parts().config.share_max_age))


def _as_json(entry: Entry) -> dict[str, Any]:
    """In the names of the API."""
    return {
        "shareId": entry.share_id,
        "url": f"{parts().config.BASE_URL}/share/{entry.share_id}",
        "sessionId": entry.session_id,
        "createdBy": entry.created_by,
        "createdAt": milliseconds(entry.created_at),
        "uploadedAt": milliseconds(entry.uploaded_at),
        "size": entry.size,
        "expiresAt": milliseconds(entry.expires_at),
        "expired": entry.has_expired,
    }


def _contents(share_id: str) -> dict[str, Any]:
    """What a reader would see; nothing of a share that has expired, or got no document."""
    try:
        edition = parts().documents.current(parts().shares.life(share_id))
        return {"title": edition.index.conversation.title} if edition else {}
    except ShareExpired:
        return {}
    except UnreadableDocument as error:
        return {"unreadable": str(error)}
