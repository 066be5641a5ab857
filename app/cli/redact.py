"""`flask redact`: what the server removes from a text, and why."""

from __future__ import annotations

from typing import TextIO

import click
from flask.cli import with_appcontext

from app.cli.options import echo
from app.redaction import redact_items
from app.redaction.explain import explain
from app.services.container import services


@click.command()
@click.argument("file", type=click.File(errors="replace"))
@click.option("--explain", "explains", is_flag=True, help="List what is removed, and by which rule.")
@with_appcontext
def redact(file: TextIO, explains: bool) -> None:
    """Print FILE without the secrets that are recognised; - is the standard input."""
    text = file.read()
    scanner = services().scanner
    if not explains:
        [redacted], _ = redact_items([text], scanner)
        click.echo(redacted, nl=False)
        return
    for line, length, kind, reasons in explain(text, scanner):
        echo(f"{line:>6}  {length:>5} characters  {kind:<24}  {', '.join(reasons)}")
