"""Blueprint `share`: pages for readers."""

from app.share.blueprint import bp
from app.share.views import attachments, changes, exports, passwords, search, session, themes

__all__ = ["attachments", "bp", "changes", "exports", "passwords", "search", "session", "themes"]
