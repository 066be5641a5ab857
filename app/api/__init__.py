"""Blueprint `api`: JSON for the plugin, and for OpenCode itself."""

from app.api import documents, shares, sync
from app.api.blueprint import bp

__all__ = ["bp", "documents", "shares", "sync"]
