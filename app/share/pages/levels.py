"""How much of a session a page shows: its conversation, what matters in it, or everything."""

from __future__ import annotations

from collections.abc import Mapping

from flask import abort, request

LEVELS: Mapping[str, str] = {
    "conversation": "Conversation",
    "highlights": "Highlights",
    "everything": "Everything",
}
DEFAULT_LEVEL = "highlights"

# How a run of calls begins in the HTML, in which the texts of a session are escaped.
_RUN = '<details class="block collapsed run"'


def requested_level(default: str = DEFAULT_LEVEL) -> str:
    """The level that a request asks for; 404 for one that does not exist."""
    level = request.args.get("view", default)
    return level if level in LEVELS else abort(404)


def level_arguments(level: str, default: str = DEFAULT_LEVEL) -> dict[str, str]:
    """The arguments that make a link lead to a page of this level."""
    return {} if level == default else {"view": level}


def with_level(html: str, level: str) -> str:
    """The HTML of steps at a level: everything unfolds the runs, and stylesheets hide the rest."""
    return html.replace(_RUN, f"{_RUN} open") if level == "everything" else html
