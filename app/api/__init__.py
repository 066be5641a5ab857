"""Blueprint `api`: JSON for the plugin, and for OpenCode itself."""

from app.api import access, documents, openapi, shares, sync, upload_links
from app.api.blueprint import bp

__all__ = ["access", "bp", "documents", "openapi", "shares", "sync", "upload_links"]
