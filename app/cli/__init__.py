"""`flask shares`: what the operator sees of shares, and does to them."""

from app.cli import clearing, looking
from app.cli.group import shares

__all__ = ["clearing", "looking", "shares"]
