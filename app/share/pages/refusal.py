"""The answer to a visitor who asks for too much at once."""

from __future__ import annotations

from flask import Response, make_response, render_template

RETRY_SECONDS = 1


def refuse(heading: str) -> Response:
    """A page that says that `HeavyRequests` has no place free; status 429."""
    html = render_template(
        "status.html",
        heading=heading,
        sentence="One runs at a time for each visitor, and few for all; try again in a moment.",
    )
    return make_response(html, 429, {"Retry-After": str(RETRY_SECONDS), "Cache-Control": "no-store"})
