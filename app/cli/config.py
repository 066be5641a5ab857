"""`flask config`: the settings that are in effect."""

from __future__ import annotations

import re
from collections.abc import Callable

import click
from flask.cli import with_appcontext

from app.cli.options import echo
from app.services.container import services
from config import Config

MASK = "***"
PASSWORD = re.compile(r"(?<=://)([^:/@]*:).*(?=@)|([?&]\w*password=)[^&]*", re.IGNORECASE)


def _without_password(url: str) -> str:
    return PASSWORD.sub(rf"\1\2{MASK}", url)


def _without_tokens(entries: str) -> str:
    return ",".join(f"{entry.strip().partition(':')[0]}:{MASK}" for entry in entries.split(",") if entry)


def _masked(value: str) -> str:
    return value and MASK


# How to show the settings that contain secrets.
SECRETS: dict[str, Callable[[str], str]] = {
    "DATABASE_URL": _without_password,
    "RATELIMIT_STORAGE_URI": _without_password,
    "SECRET_KEY": _masked,
    "OIDC_CLIENT_SECRET": _masked,
    "S3_ACCESS_KEY_ID": _masked,
    "S3_SECRET_ACCESS_KEY": _masked,
    "SHARE_CREATE_TOKEN": _without_tokens,
}


@click.group("config")
def config() -> None:
    """Check the settings."""


@config.command()
@with_appcontext
def check() -> None:
    """Print the settings that are in effect, secrets masked, without starting a server.

    If a setting is invalid, prints which one instead, and exits with status 1.
    """
    settings = services().config
    width = max(map(len, Config.__struct_fields__))
    for name in Config.__struct_fields__:
        value = getattr(settings, name)
        shown = SECRETS[name](value) if name in SECRETS else str(value)
        echo(f"{name:<{width}}  {shown.lower() if isinstance(value, bool) else shown or '-'}")
