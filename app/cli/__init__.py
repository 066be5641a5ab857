"""The commands of the operator: `flask shares`, `flask redact`, `flask config` and `flask version`."""

from app.cli import backfill, backup, check, listing, migrate_store, remove
from app.cli.config import config
from app.cli.group import shares
from app.cli.redact import redact
from app.cli.version import version

__all__ = [
    "backfill",
    "backup",
    "check",
    "config",
    "listing",
    "migrate_store",
    "redact",
    "remove",
    "shares",
    "version",
]
