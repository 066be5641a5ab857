"""Blueprint `api`: JSON for the plugin."""

from app.api import documents, shares
from app.api.blueprint import bp

__all__ = ["bp", "documents", "shares"]
