"""The URLs below one share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

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
        """The URL of a part; ids of steps and parts are safe in URLs, as `safe_id` makes them."""
        # A page has hundreds of these, and `url_for` takes longer than anything else about them.
        return f"{self._share}/m/{step_id}{self._level_query}#{part_id}"

    def child(self, session_id: str) -> str:
        arguments: dict[str, Any] = level_arguments(self.level)
        return url_for("share.child", share_id=self.share_id, session_id=session_id, **arguments)

    def page(self, number: int, session_id: str | None = None, *, level: str | None = None) -> str:
        """The URL of a page of the session, or of a sub-agent's."""
        arguments: dict[str, Any] = level_arguments(level or self.level)
        if number > 1:
            arguments = {"page": number, **arguments}
        if session_id is None:
            return f"{self._share}{_query(arguments)}"
        return url_for("share.child", share_id=self.share_id, session_id=session_id, **arguments)

    @cached_property
    def _share(self) -> str:
        return url_for("share.show", share_id=self.share_id)

    @cached_property
    def _level_query(self) -> str:
        return _query(level_arguments(self.level))


def _query(arguments: Mapping[str, Any]) -> str:
    return f"?{urlencode(arguments)}" if arguments else ""
