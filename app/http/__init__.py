"""WSGI middleware and HTTP helpers; nothing here knows about shares."""
