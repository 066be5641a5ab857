"""A conversation as pieces of HTML; plain functions over data."""

from app.render.attachments import contents
from app.render.budget import Budget
from app.render.renderer import Links, Renderer, full_text

__all__ = ["Budget", "Links", "Renderer", "contents", "full_text"]
