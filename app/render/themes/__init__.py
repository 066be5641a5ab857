"""Colour themes of pages, code and terminals."""
