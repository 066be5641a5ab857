"""The stylesheets of the themes, at /themes/<name>.css."""

from __future__ import annotations

from flask import Response, abort, request
from flask.typing import ResponseReturnValue

from app.http.static_files import compress, set_immutable
from app.lib.build_id import build_id
from app.render.themes.themes import THEMES, default_stylesheet, stylesheet
from app.share.blueprint import bp

# Light or dark like the reader's system, until the reader chooses a theme.
AUTO = "auto"
LIGHT, DARK = "paper", "ink"


@bp.get("/themes/<name>.css")
def theme(name: str) -> ResponseReturnValue:
    """The palette of a page and of its code."""
    css = theme_css(name) or abort(404)
    response = Response(css, mimetype="text/css")
    if request.args.get("v") == build_id():
        set_immutable(response)
    compress(response)
    return response


def theme_css(name: str) -> str | None:
    """The stylesheet of a theme, or of both that AUTO stands for; None if there is no such theme."""
    if name == AUTO:
        return default_stylesheet(LIGHT, DARK)
    return stylesheet(name) if name in THEMES else None
