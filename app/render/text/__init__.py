"""Markdown, highlighted code and the other texts of a session."""
