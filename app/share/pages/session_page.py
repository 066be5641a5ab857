"""A page of a session as HTML: whole, or only its steps for a page that shows others already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flask import render_template, url_for

from app.lib.budget import Budget
from app.opencode import DocumentIndex, IndexedSession
from app.opencode.paging.pages import Page
from app.render import Renderer
from app.render.themes.themes import THEMES
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.share.pages.contents import contents_of
from app.share.pages.links import ShareLinks
from app.share.pages.preview import preview_of
from app.share.pages.responses import etag_of, file_name
from app.share.pages.step_cache import StepCache


@dataclass(frozen=True)
class SessionPage:
    """One page of `session`, which is the session of the document `index` or one of its children."""

    version: DocumentVersion
    budget: Budget
    index: DocumentIndex
    session: IndexedSession
    page: Page

    @property
    def name(self) -> str:
        """Its name in the cache, when whole."""
        return page_name(self.page.number, self.session.conversation.id if self._is_child else None)

    def html(self) -> str:
        """The whole page."""
        session = self.session
        share_id = self.version.share.share_id
        return self._render(
            "session/session.html",
            share_id=share_id,
            share_url=f"{services().config.BASE_URL}/share/{share_id}",
            conversation=session.conversation,
            changed=session.changed,
            contents=contents_of(session, self._links, self.page),
            etag=etag_of(self.version),
            is_child=self._is_child,
            is_importable=self.index.conversation.is_importable,
            preview=preview_of(session),
            themes=THEMES.values(),
            uncalled=[self.index.children[id].conversation for id in session.uncalled],
        )

    def fragment(self) -> str:
        """Its steps alone."""
        return self._render("session/fragment.html")

    def _render(self, template: str, **values: object) -> str:
        conversation = self.session.conversation
        renderer = Renderer(self._links, conversation, self.budget)
        steps_name = f"{file_name(conversation.id)}.{self.page.number}"
        step_cache = StepCache(services().cache, self.version, steps_name, renderer)
        html = render_template(
            template,
            page=self.page,
            step_cache=step_cache,
            page_url=self._page_url,
            steps_url=self._steps_url,
            **values,
        )
        step_cache.save()
        return html

    @property
    def _links(self) -> ShareLinks:
        return ShareLinks(self.version.share.share_id)

    @property
    def _is_child(self) -> bool:
        return self.session is not self.index.session

    def _page_url(self, number: int) -> str:
        return f"{self._url}?page={number}"

    def _steps_url(self, number: int) -> str:
        """The address of a page's steps alone."""
        return f"{self._url}/steps/{number}"

    @cached_property
    def _url(self) -> str:
        if self._is_child:
            return self._links.child(self.session.conversation.id)
        return url_for("share.show", share_id=self.version.share.share_id)


def page_name(number: int, child_id: str | None = None) -> str:
    """The name in the cache of a page of the session, or of one of its children."""
    return f"page-{number}" if child_id is None else f"child-{file_name(child_id)}-{number}"
