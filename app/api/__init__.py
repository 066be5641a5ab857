"""Blueprint `api`: JSON for the plugin."""

from app.api import documents, shares
from app.api.blueprint import bp, init_limiter

__all__ = ["bp", "documents", "init_limiter", "shares"]
