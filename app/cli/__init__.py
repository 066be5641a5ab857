"""`flask shares`: what the operator sees of shares, and does to them."""

from app.cli import listing, migrate_store, remove
from app.cli.group import shares

__all__ = ["listing", "migrate_store", "remove", "shares"]
