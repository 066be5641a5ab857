"""`list`, `show` and `stats`: commands that only read."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable
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
from app.lib.visible import visible_json
from app.opencode import UnreadableDocument
from app.opencode.titles import shortened
from app.services.container import services
from app.services.shares.errors import ShareExpired, ShareNotFound
from app.services.shares.expiry import Expiry
from app.services.shares.inventory import ORDERS, Inventory, ShareFilter, ShareSummary
from app.services.shares.totals import totals

ROW = "{:<20}  {:<16}  {:<16}  {:>9}  {:<16}  {:<12}  {:<20}  {}"
AMOUNT = "{:<20}  {:>9}  {:>9}"
MAX_PROJECT = 20
MAX_TITLE = 60
LIMIT = 50


@shares.command("list")
@click.option("--older-than", type=AGE, help="Only shares made longer ago, such as 30d, 12h or 90m.")
@click.option("--newer-than", type=AGE, help="Only shares made since.")
@click.option("--larger-than", type=SIZE, help="Only documents of more bytes, such as 500KB or 10MB.")
@click.option("--never-uploaded", is_flag=True, help="Only shares without a document.")
@click.option("--expired", is_flag=True, help="Only shares that have expired and were not purged yet.")
@click.option("--created-by", metavar="NAME", help="Only shares made with the token of this name.")
@click.option("--search", metavar="TEXT", help="Only shares with this in their title or project.")
@click.option("--sort", type=click.Choice(sorted(ORDERS)), default="created", show_default=True)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    help=f"At most so many shares; 0 for all. By default {LIMIT}, and all with --json and --jsonl.",
)
@as_json
@click.option("--jsonl", is_flag=True, help="Print a line of JSON for each share.")
def list_shares(as_json: bool, jsonl: bool, sort: str, limit: int | None, **filters: Any) -> None:
    """List shares: the newest, the largest or the last uploaded first, or by title."""
    if limit is None:
        limit = 0 if as_json or jsonl else LIMIT
    objects = progress(services().store.list(), "Listing documents")
    question = objects, ShareFilter(**filters), ORDERS[sort]
    inventory = _inventory()
    summaries, more = inventory.first(limit, *question) if limit else (inventory.list(*question), 0)
    print_shares = _print_json if as_json else _print_lines if jsonl else _print_table
    print_shares(summaries)
    if more:
        echo(f"{more} more; --limit 0 lists all", err=True)


@shares.command(context_settings=TAKES_IDS)
@click.argument("share_id", metavar="ID_OR_LINK", type=SHARE)
@as_json
def show(share_id: str, as_json: bool) -> None:
    """Show one share, with the title of its session."""
    reason = _read(share_id)
    share = _inventory().get(share_id)
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
    found = totals(_inventory().list(progress(services().store.list(), "Listing documents")))
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    numbers = asdict(found)
    tables = {name: numbers.pop(name) for name in ("by_source", "by_token", "by_month")}
    sizes = {name: format_size(numbers[name]) for name in ("bytes", "largest_bytes")}
    for name, value in {**numbers, **sizes}.items():
        echo(f"{name.replace('_', ' ') + ':':<21} {value}")
    for title, amounts in tables.items():
        echo("")
        echo(AMOUNT.format(title.replace("_", " ").upper(), "SHARES", "SIZE"))
        for name, amount in amounts.items():
            echo(AMOUNT.format(name, amount.shares, format_size(amount.bytes)))


def _print_table(summaries: Iterable[ShareSummary]) -> None:
    times = "CREATED (UTC)", "UPLOADED (UTC)"
    echo(ROW.format("SHARE", *times, "SIZE", "EXPIRES (UTC)", "CREATED BY", "PROJECT", "TITLE"))
    for share in summaries:
        expires = "expired" if share.has_expired else format_time(share.expires_at)
        times = format_time(share.created_at), format_time(share.uploaded_at)
        size = format_size(share.size)
        names = shortened(share.project or "-", MAX_PROJECT), shortened(share.title or "-", MAX_TITLE)
        echo(ROW.format(share.share_id, *times, size, expires, share.created_by or "-", *names))


def _print_lines(summaries: Iterable[ShareSummary]) -> None:
    for share in summaries:
        click.echo(visible_json(json.dumps(_as_json(share), ensure_ascii=False)))


def _print_json(summaries: Iterable[ShareSummary]) -> None:
    """Prints an array, share by share."""
    separator = "["
    for share in summaries:
        entry = json.dumps(_as_json(share), indent=2, ensure_ascii=False)
        click.echo(f"{separator}\n{visible_json(textwrap.indent(entry, '  '))}", nl=False)
        separator = ","
    click.echo("[]" if separator == "[" else "\n]")


def _inventory() -> Inventory:
    return Inventory(services().store, Expiry(services().config.share_max_age))


def _as_json(share: ShareSummary) -> dict[str, Any]:
    """A share in the field names of the API."""
    return {
        "shareId": share.share_id,
        "url": f"{services().config.BASE_URL}/share/{share.share_id}",
        "sessionId": share.session_id,
        "source": share.source,
        "title": share.title,
        "project": share.project,
        "createdBy": share.created_by,
        "audience": share.audience,
        "createdAt": milliseconds(share.created_at),
        "uploadedAt": milliseconds(share.uploaded_at),
        "size": share.size,
        "expiresAt": milliseconds(share.expires_at),
        "expired": share.has_expired,
    }


def _read(share_id: str) -> str | None:
    """Reads the session, which writes its title into the row. Returns why it cannot be read."""
    try:
        services().documents.reload(services().live_shares.get(share_id))
    except ShareExpired:
        pass
    except UnreadableDocument as error:
        return str(error)
    return None
