"""Backups: copies of all shares in a folder, apart from the database and the store that they came from."""
