"""Who may read a share, as its author asks for it."""

from __future__ import annotations

from dataclasses import dataclass

from app.db.models import Audience


@dataclass(frozen=True)
class Access:
    """An audience, None for that of the server, and the hash of the password that it needs."""

    audience: Audience | None = None
    password_hash: str | None = None


DEFAULT = Access()
