"""Parameter types and output formats that the commands share."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from app.lib.epoch import epoch_milliseconds
from app.lib.visible import visible, visible_json
from app.services.shares.share_ids import SHARE_ID
from config import BYTES, read_duration, read_size

T = TypeVar("T")
ID = re.compile(f"({SHARE_ID})")
LINK = re.compile(rf".*/share/({SHARE_ID})(?:[./?#].*)?")


class Age(click.ParamType[timedelta]):
    """A time such as 30d, 12h or 90m."""

    name = "age"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        try:
            return read_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Size(click.ParamType[int]):
    """A number of bytes, or of KB, MB or GB."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return read_size(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class ShareId(click.ParamType[str]):
    """The id of a share, or any link to it."""

    name = "id or link"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        match = ID.fullmatch(value) or LINK.fullmatch(value)
        if not match:
            self.fail(f"{value!r} is neither the id of a share nor a link to one.", param, ctx)
        return match[1]


AGE, SIZE, SHARE = Age(), Size(), ShareId()
# For commands that take ids: one that begins with a dash looks like an unknown option.
TAKES_IDS = {"ignore_unknown_options": True}
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON; times are epoch milliseconds.")
dry_run = click.option("--dry-run", is_flag=True, help="Only say what would be removed.")


def echo(line: str, err: bool = False) -> None:
    """Prints one line, which may contain text of sessions and clients."""
    click.echo(visible(line), err=err)


def print_json(value: object) -> None:
    click.echo(visible_json(json.dumps(value, indent=2, ensure_ascii=False)))


def progress(items: Iterable[T], label: str) -> Iterator[T]:
    """The items, with a progress bar on a terminal; a cron job's mail stays short."""
    hidden = not sys.stderr.isatty()
    with click.progressbar(items, label=label, file=sys.stderr, show_pos=True, hidden=hidden) as counted:
        yield from counted


def milliseconds(time: datetime | None) -> int | None:
    return epoch_milliseconds(time) if time else None


def format_time(time: datetime | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M") if time else "-"


def format_size(size: int | None) -> str:
    """A size in the units that SIZE reads."""
    if size is None:
        return "-"
    unit = next((unit for unit in ("GB", "MB", "KB") if size >= BYTES[unit]), "")
    return f"{size / BYTES[unit]:.1f} {unit}" if unit else f"{size} B"
