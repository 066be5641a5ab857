"""A page of a session as HTML: whole, or only the steps for a page that shows others already."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flask import render_template, url_for

from app.opencode import Chapter
from app.opencode.paging.pages import Page
from app.render import Budget, Renderer
from app.render.themes.themes import THEMES
from app.services.container import parts
from app.services.documents.service import Edition
from app.share.pages.contents import contents_of
from app.share.pages.links import ShareLinks
from app.share.pages.preview import preview_of
from app.share.pages.responses import Made, etag_of, file_name
from app.share.pages.step_cache import KeptSteps


@dataclass(frozen=True)
class SessionPage:
    """One page of `chapter`, which is the session of `edition` or one of its children."""

    edition: Edition
    chapter: Chapter
    page: Page

    @property
    def name(self) -> str:
        """That of the whole page in the cache."""
        child_id = self.chapter.conversation.id if self._is_child else None
        return page_name(self.page.number, child_id)

    def whole(self) -> Made:
        chapter = self.chapter
        share_id = self.edition.life.share_id
        return self._made(
            "session/session.html",
            share_id=share_id,
            share_url=f"{parts().config.BASE_URL}/share/{share_id}",
            conversation=chapter.conversation,
            changed=chapter.changed,
            contents=contents_of(chapter, self._links, self.page),
            etag=etag_of(self.edition),
            is_child=self._is_child,
            preview=preview_of(chapter),
            themes=THEMES.values(),
        )

    def fragment(self) -> Made:
        return self._made("session/fragment.html")

    def _made(self, template: str, **values: object) -> Made:
        conversation = self.chapter.conversation
        name = f"{file_name(conversation.id)}.{self.page.number}"
        renderer = Renderer(self._links, conversation, Budget())
        steps = KeptSteps(parts().cache, self.edition, name, renderer)
        html = render_template(
            template,
            page=self.page,
            steps=steps,
            page_url=self._page_url,
            steps_url=self._steps_url,
            **values,
        )
        steps.save()
        return Made(html, may_be_kept=steps.is_complete)

    @property
    def _links(self) -> ShareLinks:
        return ShareLinks(self.edition.life.share_id)

    @property
    def _is_child(self) -> bool:
        return self.chapter is not self.edition.index.session

    def _page_url(self, number: int) -> str:
        return f"{self._address}?page={number}"

    def _steps_url(self, number: int) -> str:
        """The address of a page's steps alone."""
        return f"{self._address}/steps/{number}"

    @cached_property
    def _address(self) -> str:
        if self._is_child:
            return self._links.child(self.chapter.conversation.id)
        return url_for("share.show", share_id=self.edition.life.share_id)


def page_name(number: int, child_id: str | None = None) -> str:
    """The name in the cache of a page of the session, or of one of its children."""
    return f"page-{number}" if child_id is None else f"child-{file_name(child_id)}-{number}"
