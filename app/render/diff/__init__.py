"""Diffs as data and as HTML."""
