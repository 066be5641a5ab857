"""The parts of a running app, for its blueprints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from app.db.connection import StandingConnection
from app.http.response_cache import Replay
from app.services.documents.cache import Cache
from app.services.documents.checkpoint import Folding
from app.services.documents.pages import KeptPages
from app.services.documents.service import Documents
from app.services.shares.service import Shares
from app.storage import ObjectStore
from config import Config

EXTENSION = "better_share"


@dataclass(frozen=True)
class Parts:
    config: Config
    store: ObjectStore
    shares: Shares
    documents: Documents
    folding: Folding
    cache: Cache
    pages: KeptPages
    standing: StandingConnection
    replay: Replay

    def lives(self) -> set[str]:
        """The names of the lives of which this worker or its machine holds anything."""
        return self.documents.lives() | self.pages.lives() | self.replay.lives()

    def forget(self, life: str) -> None:
        """Drops whatever this machine holds of the life with this name."""
        self.documents.forget(life)
        self.pages.forget(life)
        self.replay.forget(life)


def parts() -> Parts:
    """The parts that `create_app` wired into the current app."""
    return cast(Parts, current_app.extensions[EXTENSION])
