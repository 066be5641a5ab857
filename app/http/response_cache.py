"""Answers again as it was answered before, ahead of all that Flask does for a request.

Of a page that is kept, finding its view and making its response cost more than asking the database whether it
may be shown; so the answers themselves are kept, and only that question remains.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy.exc import SQLAlchemyError

from app.http.negotiation import best_encoding, prefers_markdown
from app.http.recent import Recent
from app.http.request_log import note
from app.services.documents.service import Documents, Edition
from app.services.shares.service import SHARE_ID, ShareError, Shares

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MEMORY_BYTES = 16 * 1024 * 1024
PAGE = re.compile(f"/share/({SHARE_ID})")
ROUTE = "/share/<share_id>"
# Under which a view leaves what its answer was made of.
SHOWN = "better_share.shown"


class Shown(NamedTuple):
    """The version of a document and the page of it, encoded, that an answer has."""

    life: str
    etag: str
    body: bytes


@dataclass(frozen=True)
class _Answer:
    shown: Shown
    headers: list[tuple[str, str]]


def may_be_repeated(environ: WSGIEnvironment, edition: Edition, body: bytes) -> None:
    """Notes that whoever asks the same again may get the same, for as long as the edition is the newest."""
    environ[SHOWN] = Shown(edition.life.name, edition.etag, body)


class Replay:
    """Keeps the answers of `app` to requests for the first page of a share, the last MEMORY_BYTES of them.

    `on_repeat` is called for each that is given again.
    """

    def __init__(
        self, app: WSGIApplication, shares: Shares, documents: Documents, on_repeat: Callable[[], None]
    ) -> None:
        self._app = app
        self._shares = shares
        self._documents = documents
        self._on_repeat = on_repeat
        self._answers: Recent[tuple[str, str], _Answer] = Recent(MEMORY_BYTES)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = PAGE.fullmatch(environ["PATH_INFO"])
        if path is None or not _is_plain(environ):
            return self._app(environ, start_response)
        key = (path[1], best_encoding(environ.get("HTTP_ACCEPT_ENCODING", "")))
        answer = self._answers.get(key)
        if answer and self._is_current(path[1], answer.shown):
            self._on_repeat()
            note(environ, ROUTE, path[1])
            start_response("200 OK", answer.headers)
            return [answer.shown.body]

        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            shown = environ.get(SHOWN)
            if shown and status.startswith("200"):
                self._answers.put(shown.life, key, _Answer(shown, headers), len(shown.body))
            return start_response(status, headers, *error)

        return self._app(environ, start)

    def lives(self) -> set[str]:
        """The names of the lives of which there are answers."""
        return self._answers.lives()

    def forget(self, life: str) -> None:
        self._answers.forget(life)

    def _is_current(self, share_id: str, shown: Shown) -> bool:
        """Whether the answer may be given again. What cannot be found out is for the app to say."""
        try:
            life = self._shares.life(share_id)
        except (ShareError, SQLAlchemyError):
            return False
        return life.name == shown.life and self._documents.is_newest(life, shown.etag)


def _is_plain(environ: WSGIEnvironment) -> bool:
    """Whether a request says no more than which page it wants, in which encoding."""
    return (
        environ["REQUEST_METHOD"] == "GET"
        and not environ.get("QUERY_STRING")
        and "HTTP_IF_NONE_MATCH" not in environ
        and not prefers_markdown(environ.get("HTTP_ACCEPT", ""))
    )
