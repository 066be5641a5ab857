"""How pages of changes show diffs: both sides in one column, or beside each other."""

from __future__ import annotations

from collections.abc import Mapping

from flask import abort, request

DIFF_MODES: Mapping[str, str] = {"unified": "Unified", "split": "Side by side"}
DEFAULT_DIFF_MODE = "unified"


def requested_diff_mode() -> str:
    """The mode that a request asks for; 404 for one that does not exist."""
    mode = request.args.get("diff", DEFAULT_DIFF_MODE)
    return mode if mode in DIFF_MODES else abort(404)


def diff_arguments(mode: str) -> dict[str, str]:
    """The arguments that make a link lead to a page in this mode."""
    return {} if mode == DEFAULT_DIFF_MODE else {"diff": mode}
