"""Removes secrets from JSON values, by the same rules as the plugin."""

from app.redaction.redactor import redact_items, redact_text

__all__ = ["redact_items", "redact_text"]
