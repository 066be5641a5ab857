"""Removes secrets from texts, by the same rules as the plugin; plain functions over data."""

from app.redaction.redactor import redact_items, redact_text

__all__ = ["redact_items", "redact_text"]
