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
    if name != AUTO and name not in THEMES:
        abort(404)
    css = default_stylesheet(LIGHT, DARK) if name == AUTO else stylesheet(name)
    response = Response(css, mimetype="text/css")
    if request.args.get("v") == build_id():
        set_immutable(response)
    compress(response)
    return response
