"""Backups: copies of all shares and members in a folder, apart from their database and store."""
