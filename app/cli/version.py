"""`flask version`: what is installed here."""

from __future__ import annotations

import click

from app.cli.options import echo
from app.lib.build_id import build_id
from app.lib.release import RELEASE


@click.command()
def version() -> None:
    """Print the release and the build, as `/api/version` does."""
    echo(f"Better Share {RELEASE} (build {build_id()})")
