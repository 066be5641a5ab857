"""Readers of session documents, one for each generation of OpenCode."""
