"""Renders conversations as HTML and Markdown; plain functions over data, which need no app."""

from app.render.attachments import contents
from app.render.excerpts import full_text
from app.render.renderer import Links, Renderer

__all__ = ["Links", "Renderer", "contents", "full_text"]
