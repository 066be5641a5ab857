"""Counts the readers of shares, once a day each, without keeping who they are.

A worker notes views in memory, also those of pages that it answers from memory, and writes them every half
minute. A reader is a network address and a browser, hashed with a salt that all hosts have for a day; salt
and hashes are deleted after it. The database decides who is new, so that counts are exact across workers.
What a worker has noted and not written is lost when it ends.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, delete, select, text, update

from app.db.models import Share, ShareReader, ViewSalt
from app.http.client_address import network_of

SALT_BYTES = 16
HASH_BYTES = 12
# Of one worker between two writes; more are not counted.
MAX_VIEWS = 20_000
MAX_AGENT_CHARACTERS = 300
# What fetches pages for others, and programs.
BOT = re.compile(
    r"bot|crawl|spider|slurp|preview|facebookexternalhit|embed|monitor|scan|fetch|http|curl|wget|python|java/|^$",
    re.IGNORECASE,
)
INSERT_READER = text(
    "INSERT INTO share_readers (day, share_id, reader) VALUES (:day, :share_id, :reader) "
    "ON CONFLICT DO NOTHING"
)
INSERT_SALT = text("INSERT INTO view_salts (day, salt) VALUES (:day, :salt) ON CONFLICT DO NOTHING")
ADD_VIEWS = (
    update(Share)
    .where(Share.share_id == bindparam("id"), Share.deleted_at.is_(None))
    .values(views=Share.views + bindparam("count"))
)


class View(NamedTuple):
    """A page that was sent; `session` is what may tell whose browser it was."""

    share_id: str
    address: str
    agent: str
    session: str


class ViewCounter:
    """Notes views and writes them; `session_of` finds in an environ what may tell whose browser it is."""

    def __init__(
        self, engine: Engine, *, is_on: bool, session_of: Callable[[Mapping[str, Any]], str]
    ) -> None:
        self._engine = engine
        self._is_on = is_on
        self._session_of = session_of
        self._views: set[View] = set()
        self._lock = threading.Lock()
        self._day = ""
        self._counted: set[tuple[str, str]] = set()

    def add(self, environ: Mapping[str, Any], share_id: str) -> None:
        """Notes that the page of a share was sent."""
        if not self._is_on or environ["REQUEST_METHOD"] != "GET" or len(self._views) >= MAX_VIEWS:
            return
        agent = environ.get("HTTP_USER_AGENT", "")[:MAX_AGENT_CHARACTERS]
        view = View(share_id, environ.get("REMOTE_ADDR", ""), agent, self._session_of(environ))
        with self._lock:
            self._views.add(view)

    def flush(self, member_of: Callable[[str], str | None]) -> None:
        """Writes what was noted; `member_of` a session tells whose it is, so that owners do not count."""
        with self._lock:
            views, self._views = self._views, set()
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        if not self._is_on or (not views and day == self._day):
            return
        with self._engine.begin() as connection:
            if day != self._day:
                self._day, self._counted = day, set()
                connection.execute(delete(ShareReader).where(ShareReader.day < day))
                connection.execute(delete(ViewSalt).where(ViewSalt.day < day))
            people = [view for view in views if not BOT.search(view.agent)]
            if people:
                self._write(connection, day, people, member_of)

    def _write(
        self,
        connection: Connection,
        day: str,
        views: Sequence[View],
        member_of: Callable[[str], str | None],
    ) -> None:
        salt = _salt(connection, day)
        owners = _owners(connection, {view.share_id for view in views})
        readers = {
            (view.share_id, _reader(salt, view))
            for view in views
            if view.share_id in owners and not _is_owner(owners[view.share_id], view, member_of)
        }
        new: Counter[str] = Counter()
        # In one order, so that no two workers wait for each other.
        for share_id, reader in sorted(readers - self._counted):
            values = {"day": day, "share_id": share_id, "reader": reader}
            new[share_id] += connection.execute(INSERT_READER, values).rowcount
        for share_id, count in sorted(new.items()):
            if count:
                connection.execute(ADD_VIEWS, {"id": share_id, "count": count})
        self._counted |= readers


def _salt(connection: Connection, day: str) -> bytes:
    """The salt of a day, which the first worker makes."""
    connection.execute(INSERT_SALT, {"day": day, "salt": secrets.token_hex(SALT_BYTES)})
    salt = connection.execute(select(ViewSalt.salt).where(ViewSalt.day == day)).scalar_one()
    return bytes.fromhex(salt)


def _owners(connection: Connection, share_ids: Collection[str]) -> dict[str, str | None]:
    """Whose the shares are, those that are still there."""
    query = select(Share.share_id, Share.member).where(
        Share.share_id.in_(share_ids), Share.deleted_at.is_(None)
    )
    return {row.share_id: row.member for row in connection.execute(query)}


def _is_owner(owner: str | None, view: View, member_of: Callable[[str], str | None]) -> bool:
    return owner is not None and bool(view.session) and member_of(view.session) == owner


def _reader(salt: bytes, view: View) -> str:
    """The same for one reader of one share on one day, and for nothing else."""
    text = f"{view.share_id}\n{network_of(view.address)}\n{view.agent}"
    return hashlib.blake2b(text.encode(), key=salt, digest_size=HASH_BYTES).hexdigest()
