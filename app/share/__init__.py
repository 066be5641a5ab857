"""Blueprint `share`: pages for readers."""

from app.share import views
from app.share.blueprint import bp

__all__ = ["bp", "views"]
