"""A session as one HTML file that opens without the server: no script, no request, its style inside."""

from __future__ import annotations

import base64
import hashlib
import html
import logging
import re
import time
from collections.abc import Iterator
from itertools import chain

from flask import current_app, render_template
from markupsafe import Markup

from app.http.static_files import bundle
from app.lib.budget import Budget
from app.lib.time_limit import TimeLimitExceeded, cpu_time_limit
from app.opencode import IndexedSession
from app.opencode.paging.pages import Page
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.share.pages.contents import contents_of
from app.share.pages.file_links import FileLinks
from app.share.pages.levels import LEVELS
from app.share.pages.links import ShareLinks
from app.share.pages.responses import MAX_PAGE_SECONDS
from app.share.pages.session_page import SessionPage
from app.share.pages.timeline import timeline_view

# How much of a session and those of its sub-agents is in a file: pages, and bytes of HTML.
MAX_PAGES = 100
MAX_BYTES = 64 * 1024 * 1024
# Of processor time, after which no further page is begun. An ordinary one takes a tenth of a second.
MAX_SECONDS = 20
# How many sub-agents' sessions have a place in the file, if only for a link.
MAX_CHILDREN = 200

# As a template writes it; the texts of a session are escaped.
_SHOWN_INSIDE = re.compile(r'data-session="([^"]*)"')

logger = logging.getLogger(__name__)


def file_head(title: str, level: str, theme_css: str) -> tuple[str, str]:
    """The HTML before the body, and a Content-Security-Policy that allows what is in the file and no more.

    The policy is in the HTML as well, for whoever opens the file from a disk.
    """
    style = theme_css + bundle(current_app.static_folder or "", "file.css").decode()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'"
    # The stylesheets are our own.
    head = render_template("file/head.html", title=title, level=level, policy=policy, style=Markup(style))  # noqa: S704
    return head, policy


class FileBody:
    """The body of the file at a `level`, rendered page by page while its chunks are read.

    `budget` is that of the first page; every other one has its own. A session that is too long for the file
    ends with a link to where it goes on.
    """

    def __init__(self, version: DocumentVersion, budget: Budget, level: str) -> None:
        self._version = version
        self._budgets = chain([budget], iter(Budget, None))
        self._level = level
        self._index = services().documents.index(version)
        children = list(self._index.children.values())[:MAX_CHILDREN] if level != "conversation" else []
        self._children = {child.conversation.id: child for child in children}
        self._anchors = {id: f"ui-session-{number}" for number, id in enumerate(self._children, 1)}
        self._links = FileLinks(version, self._anchors)
        self._pages_left = MAX_PAGES
        self._bytes_left = MAX_BYTES

    def chunks(self) -> Iterator[bytes]:
        self._ends_at = time.thread_time() + MAX_SECONDS
        return (chunk.encode(errors="replace") for chunk in self._chunks())

    def _chunks(self) -> Iterator[str]:
        session = self._index.session
        for number in range(1, min(len(session.pages), MAX_PAGES) + 1):
            self._links.add_messages(session.pages.message_ids(number))
        yield self._header(session)
        yield from self._pages(session)
        for id, child in self._children.items():
            # What a call has shown is not repeated.
            if anchor := self._anchors.get(id):
                yield render_template("file/child.html", conversation=child.conversation, anchor=anchor)
                yield from self._pages(child, f"{anchor}-")
        yield render_template("file/footer.html")

    def _header(self, session: IndexedSession) -> str:
        share_id = self._version.share.share_id
        links = ShareLinks(share_id)
        header = render_template(
            "file/header.html",
            share_id=share_id,
            server_url=services().config.BASE_URL,
            conversation=session.conversation,
            changed=session.changed,
            worked=session.timeline,
            timeline=timeline_view(session.timeline, lambda mark: links.part(mark.id, mark.id)),
            contents=contents_of(session, links),
            level=LEVELS[self._level],
        )
        return self._links.rewrite(header)

    def _pages(self, session: IndexedSession, scope: str = "") -> Iterator[str]:
        """The pages of a session as far as there is room, and then a link to where it goes on."""
        for number in range(1, len(session.pages) + 1):
            page = session.pages.get(number) if self._has_room else None
            written = self._page(session, page, scope) if page else ""
            if not written:
                links = ShareLinks(self._version.share.share_id, self._level)
                child_id = session.conversation.id if scope else None
                url = self._links.absolute(links.page(number, child_id))
                yield render_template("file/rest.html", url=url, number=number, count=len(session.pages))
                return
            yield written

    @property
    def _has_room(self) -> bool:
        return self._pages_left > 0 and self._bytes_left > 0 and time.thread_time() < self._ends_at

    def _page(self, session: IndexedSession, page: Page, scope: str) -> str:
        """A page as part of the file; empty if it takes too long in spite of its budget."""
        budget = next(self._budgets)
        part = SessionPage(self._version, budget, self._index, session, page, self._level)
        try:
            with cpu_time_limit(MAX_PAGE_SECONDS):
                steps = part.steps(scope)
        except TimeLimitExceeded:
            logger.warning("a page of a file took too long: %s", page.number)
            return ""
        for id in _SHOWN_INSIDE.findall(steps):
            self._anchors.pop(html.unescape(id), None)
        self._links.add_messages(session.pages.message_ids(page.number))
        written = self._links.rewrite(steps)
        self._pages_left -= 1
        self._bytes_left -= len(written)
        return written
