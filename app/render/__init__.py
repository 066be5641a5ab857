"""Renders conversations as HTML and Markdown; plain functions over data, which need no app."""

from app.render.attachments import contents
from app.render.renderer import Links, Renderer, full_text

__all__ = ["Links", "Renderer", "contents", "full_text"]
