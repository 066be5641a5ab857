"""The commands of the operator: `flask shares`, `members`, `tokens`, `redact`, `config` and `version`."""

from app.cli import backfill, backup, check, checkpoint, listing, migrate_store, remove
from app.cli.config import config
from app.cli.group import shares
from app.cli.members import members, tokens
from app.cli.redact import redact
from app.cli.version import version

__all__ = [
    "backfill",
    "backup",
    "check",
    "checkpoint",
    "config",
    "listing",
    "members",
    "migrate_store",
    "redact",
    "remove",
    "shares",
    "tokens",
    "version",
]
