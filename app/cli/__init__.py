"""`flask shares`: what the operator sees of shares, and does to them."""

from app.cli import clearing, looking, moving
from app.cli.group import shares

__all__ = ["clearing", "looking", "moving", "shares"]
