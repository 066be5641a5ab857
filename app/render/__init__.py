"""A conversation as pieces of HTML; plain functions over data."""

from app.render.blocks import Links, Renderer, full_text
from app.render.files import contents
from app.render.guard import Budget

__all__ = ["Budget", "Links", "Renderer", "contents", "full_text"]
