"""`flask shares`: how the operator lists, shows and removes shares."""

from app.cli import listing, migrate_store, remove
from app.cli.group import shares

__all__ = ["listing", "migrate_store", "remove", "shares"]
