"""Lists that are too long for one page."""

from __future__ import annotations

from flask import request


def page_number() -> int:
    """The page that a request asks for, from 1; whether there is one is for the view to say."""
    return request.args.get("page", 1, type=int)
