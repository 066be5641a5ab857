"""The URLs below one share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for

from app.share.pages.levels import DEFAULT_LEVEL, level_arguments


@dataclass(frozen=True)
class ShareLinks:
    """The URLs by which the pages of one share refer to each other, those of its sessions at a `level`."""

    share_id: str
    level: str = DEFAULT_LEVEL

    def document(self) -> str:
        return url_for("share.as_json", share_id=self.share_id)

    def html_file(self) -> str:
        """The URL of the session as one file."""
        arguments: dict[str, Any] = level_arguments(self.level)
        return url_for("share.as_html", share_id=self.share_id, **arguments)

    def full(self, block_id: str, name: str) -> str:
        return url_for("share.full", share_id=self.share_id, block_id=block_id, name=name)

    def file(self, file_id: str) -> str:
        return url_for("share.file", share_id=self.share_id, file_id=file_id)

    def block(self, block_id: str) -> str:
        return url_for("share.block", share_id=self.share_id, block_id=block_id)

    def part(self, step_id: str, part_id: str) -> str:
        return self._session_page("message", step_id=step_id, _anchor=part_id)

    def child(self, session_id: str) -> str:
        return self._session_page("child", session_id=session_id)

    def page(self, number: int, session_id: str | None = None, *, level: str | None = None) -> str:
        """The URL of a page of the session, or of a sub-agent's."""
        arguments: dict[str, Any] = level_arguments(level or self.level)
        if number > 1:
            arguments = {"page": number, **arguments}
        if session_id is None:
            return url_for("share.show", share_id=self.share_id, **arguments)
        return url_for("share.child", share_id=self.share_id, session_id=session_id, **arguments)

    def _session_page(self, view: str, **values: Any) -> str:
        return url_for(f"share.{view}", share_id=self.share_id, **{**values, **level_arguments(self.level)})
