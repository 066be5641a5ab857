"""`flask shares`, how the operator lists, shows, checks and removes shares, and `flask redact`."""

from app.cli import backfill, check, listing, migrate_store, remove
from app.cli.group import shares
from app.cli.redact import redact

__all__ = ["backfill", "check", "listing", "migrate_store", "redact", "remove", "shares"]
