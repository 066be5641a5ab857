"""`flask shares`: how the operator lists, shows, checks and removes shares."""

from app.cli import backfill, check, listing, migrate_store, remove
from app.cli.group import shares

__all__ = ["backfill", "check", "listing", "migrate_store", "remove", "shares"]
