"""A page of a session as HTML: whole, or only its steps for a page that shows others already."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

from flask import render_template

from app.lib.budget import Budget
from app.opencode import DocumentIndex, IndexedSession
from app.opencode.paging.pages import Page
from app.opencode.paging.timeline import Mark
from app.render import Renderer
from app.render.conversation import ConversationRenderer
from app.render.themes.themes import THEMES
from app.services.container import services
from app.services.documents.service import DocumentVersion
from app.share.pages.contents import contents_of
from app.share.pages.levels import DEFAULT_LEVEL, LEVELS, with_level
from app.share.pages.links import ShareLinks
from app.share.pages.preview import preview_of
from app.share.pages.responses import etag_of, file_name
from app.share.pages.step_cache import StepCache
from app.share.pages.timeline import timeline_view


@dataclass(frozen=True)
class SessionPage:
    """One page of `session`, which is the session of the document `index` or one of its children.

    `level` is one of `app.share.pages.levels`.
    """

    version: DocumentVersion
    budget: Budget
    index: DocumentIndex
    session: IndexedSession
    page: Page
    level: str = DEFAULT_LEVEL

    @property
    def name(self) -> str:
        """Its name in the cache, when whole."""
        return page_name(self.page.number, self._child_id, self.level)

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
            file_url=self._links.html_file(),
            level=self.level,
            levels=[(name, label, self._page_url(self.page.number, name)) for name, label in LEVELS.items()],
            etag=etag_of(self.version),
            is_child=self.is_child,
            # OpenCode takes only links at the root of a host.
            is_importable=self.index.conversation.is_importable and not services().config.base_path,
            is_public=self.version.share.is_public,
            lacks_plugin=self.version.share.lacks_plugin,
            # On every page, since a public one is the same for everybody.
            has_sign_in=services().config.has_sign_in,
            preview=preview_of(session),
            themes=THEMES.values(),
            worked=session.timeline,
            timeline=timeline_view(session.timeline, self._mark_urls()),
            uncalled=[self.index.children[id].conversation for id in session.uncalled],
        )

    def fragment(self) -> str:
        """Its steps alone."""
        return self._render("session/fragment.html")

    def steps(self, scope: str) -> str:
        """Its steps for a file with other pages, whose ids `scope` sets apart from those of other sessions.

        Steps that readers had are reused, but no others are kept: those of all pages would displace them. At
        the level of conversations they are without what pages of that level only hide.
        """
        is_said = self.level == "conversation"
        step_cache = (
            self._step_cache(ConversationRenderer, "said.") if is_said else self._step_cache(Renderer)
        )
        html = render_template("session/steps.html", page=self.page, step_cache=step_cache, scope=scope)
        return with_level(html, self.level)

    def _render(self, template: str, **values: object) -> str:
        step_cache = self._step_cache(Renderer)
        html = render_template(
            template,
            page=self.page,
            step_cache=step_cache,
            page_url=self._page_url,
            steps_url=self._steps_url,
            **values,
        )
        step_cache.save()
        return with_level(html, self.level)

    def _step_cache(self, renderer_type: type[Renderer], prefix: str = "") -> StepCache:
        conversation = self.session.conversation
        renderer = renderer_type(self._links_in_steps, conversation, self.budget)
        name = f"{prefix}{file_name(conversation.id)}.{self.page.number}"
        return StepCache(services().cache, self.version, name, renderer)

    @cached_property
    def _links(self) -> ShareLinks:
        return ShareLinks(self.version.share.share_id, self.level)

    @cached_property
    def _links_in_steps(self) -> ShareLinks:
        """Steps are the same at every level, and so are the links in them."""
        return ShareLinks(self.version.share.share_id)

    @property
    def is_child(self) -> bool:
        """Whether it is a page of a sub-agent's session."""
        return self.session is not self.index.session

    @property
    def _child_id(self) -> str | None:
        return self.session.conversation.id if self.is_child else None

    def _mark_urls(self) -> Callable[[Mark], str]:
        """The addresses of marks, of which many are on one page."""
        page_url = cache(self._page_url)
        own = self.page.number
        return lambda mark: f"{'' if mark.page == own else page_url(mark.page)}#{mark.id}"

    def _page_url(self, number: int, level: str | None = None) -> str:
        return self._links.page(number, self._child_id, level=level)

    def _steps_url(self, number: int) -> str:
        """The address of a page's steps alone, which are the same at every level."""
        return f"{self._links_in_steps.page(1, self._child_id)}/steps/{number}"


def page_name(number: int, child_id: str | None = None, level: str = DEFAULT_LEVEL) -> str:
    """The name in the cache of a page of the session, or of one of its children."""
    name = f"page-{number}" if child_id is None else f"child-{file_name(child_id)}-{number}"
    return name if level == DEFAULT_LEVEL else f"{name}-{level}"
