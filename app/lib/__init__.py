"""Helpers without a subject of their own; they import nothing of the app."""
