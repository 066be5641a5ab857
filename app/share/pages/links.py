"""The URLs below one share."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for


@dataclass(frozen=True)
class ShareLinks:
    """The URLs by which the pages of one share refer to each other."""

    share_id: str

    def document(self) -> str:
        return url_for("share.as_json", share_id=self.share_id)

    def full(self, block_id: str, name: str) -> str:
        return url_for("share.full", share_id=self.share_id, block_id=block_id, name=name)

    def file(self, file_id: str) -> str:
        return url_for("share.file", share_id=self.share_id, file_id=file_id)

    def block(self, block_id: str) -> str:
        return url_for("share.block", share_id=self.share_id, block_id=block_id)

    def part(self, step_id: str, part_id: str) -> str:
        return url_for("share.message", share_id=self.share_id, step_id=step_id, _anchor=part_id)

    def child(self, session_id: str) -> str:
        return url_for("share.child", share_id=self.share_id, session_id=session_id)
