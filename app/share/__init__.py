"""Blueprint `share`: pages for readers."""

from app.share import changes, details, exports, themes, views
from app.share.blueprint import bp

__all__ = ["bp", "changes", "details", "exports", "themes", "views"]
