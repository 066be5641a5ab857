"""Blueprint `share`: pages for readers."""

from app.share.blueprint import bp
from app.share.views import attachments, changes, exports, search, session, themes

__all__ = ["attachments", "bp", "changes", "exports", "search", "session", "themes"]
