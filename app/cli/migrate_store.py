"""`migrate-store`: to another database and store, as from SQLite and a folder to PostgreSQL and S3."""

from __future__ import annotations

import os
from pathlib import Path

import click
from sqlalchemy import create_engine

from app.cli.group import shares
from app.cli.options import progress, size_in_words
from app.db.extensions import db
from app.services.container import parts
from app.services.shares.store_migration import Move, Place
from app.storage import open_store
from config import Config, ConfigError, read_config

PREFIX = "OLD_"


@shares.command("migrate-store")
def migrate_store() -> None:
    """Copy all shares from another database and store.

    Those are given by their settings with OLD_ in front: OLD_DATA_DIR for SQLite and a folder, else
    OLD_DATABASE_URL, OLD_S3_ENDPOINT and so on. Nothing is changed there. Stop the old server first; what was
    broken off goes on where it ended when the command is run again.
    """
    old = _old_config()
    engine = create_engine(old.DATABASE_URL)
    try:
        move = Move(Place(engine, open_store(old)), Place(db.engine, parts().store))
        for _ in progress(move, "Moving shares"):
            pass
    finally:
        engine.dispose()
    moved = move.moved
    size = size_in_words(moved.bytes)
    click.echo(f"shares moved: {moved.shares}, documents moved: {moved.documents} ({size})")
    if moved.wrong:
        raise click.ClickException(
            f"These documents did not arrive as they were, run the command again: {', '.join(moved.wrong)}"
        )


def _old_config() -> Config:
    environ = os.environ.items()
    given = {name.removeprefix(PREFIX): value for name, value in environ if name.startswith(PREFIX)}
    data_dir = given.get("DATA_DIR", "")
    if not data_dir and not {"DATABASE_URL", "S3_BUCKET"} <= given.keys():
        raise click.UsageError(
            "Set OLD_DATA_DIR, or OLD_DATABASE_URL and OLD_S3_..., to say where shares are."
        )
    if data_dir and not Path(data_dir).is_dir():
        raise click.UsageError(f"OLD_DATA_DIR is {data_dir!r}, which is no folder.")
    try:
        # Without a folder of its own, the old place needs this one's for nothing but a key.
        old = read_config({"DATA_DIR": parts().config.DATA_DIR, **given})
    except ConfigError as error:
        raise click.UsageError(f"Of the settings that begin with OLD_: {error}") from None
    if _place(old) == _place(parts().config):
        raise click.UsageError("The old settings and those of this server name the same place.")
    return old


def _place(config: Config) -> tuple[str, ...]:
    documents = (config.S3_ENDPOINT, config.S3_BUCKET) if config.S3_BUCKET else (str(config.data_dir),)
    return (config.DATABASE_URL, *documents)
