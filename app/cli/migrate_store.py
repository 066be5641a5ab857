"""`migrate-store`: copies all shares to another database and store, for example to PostgreSQL and S3."""

from __future__ import annotations

import os
from pathlib import Path

import click
from sqlalchemy import create_engine

from app.cli.group import shares
from app.cli.options import echo, format_size, progress
from app.db.extensions import db
from app.lib.visible import visible
from app.services.container import services
from app.services.shares.store_migration import Site, StoreMigration
from app.storage import open_store
from config import Config, ConfigError, read_config

PREFIX = "OLD_"


@shares.command("migrate-store")
def migrate_store() -> None:
    """Copy all shares, members and tokens from another database and store.

    The other site is named by its settings with OLD_ in front: OLD_DATA_DIR for SQLite and a folder, or else
    OLD_DATABASE_URL, OLD_S3_ENDPOINT and so on. Nothing is changed there. Stop the old server first. If the
    command is interrupted, run it again: it continues where it stopped.
    """
    old = _old_config()
    engine = create_engine(old.DATABASE_URL)
    try:
        migration = StoreMigration(Site(engine, open_store(old)), Site(db.engine, services().store))
        for _ in progress(migration, "Moving shares"):
            pass
    finally:
        engine.dispose()
    report = migration.report
    size = format_size(report.bytes)
    echo(
        f"shares moved: {report.shares}, documents moved: {report.documents} ({size}), "
        f"members moved: {report.members}"
    )
    if report.failed:
        failed = visible(", ".join(report.failed))
        raise click.ClickException(
            f"These documents did not arrive as they were, run the command again: {failed}"
        )


def _old_config() -> Config:
    environ = os.environ.items()
    settings = {name.removeprefix(PREFIX): value for name, value in environ if name.startswith(PREFIX)}
    data_dir = settings.get("DATA_DIR", "")
    if not data_dir and not {"DATABASE_URL", "S3_BUCKET"} <= settings.keys():
        raise click.UsageError(
            "Set OLD_DATA_DIR, or OLD_DATABASE_URL and OLD_S3_..., to say where shares are."
        )
    if data_dir and not Path(data_dir).is_dir():
        raise click.UsageError(f"OLD_DATA_DIR is {data_dir!r}, which is no folder.")
    try:
        # The old site may have no folder; then this one's is needed for nothing but a key.
        old = read_config({"DATA_DIR": services().config.DATA_DIR, **settings})
    except ConfigError as error:
        raise click.UsageError(f"Of the settings that begin with OLD_: {error}") from None
    if _site(old) == _site(services().config):
        raise click.UsageError("The old settings and those of this server name the same place.")
    return old


def _site(config: Config) -> tuple[str, ...]:
    documents = (config.S3_ENDPOINT, config.S3_BUCKET) if config.S3_BUCKET else (str(config.data_dir),)
    return (config.DATABASE_URL, *documents)
