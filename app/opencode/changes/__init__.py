"""The files that a session changed."""
