"""The OpenCode plugin of this very server, as an npm package with the server's address in it."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.http.static_files import set_immutable
from app.services.container import services
from app.services.plugin_package import PluginPackage, plugin_package

bp = Blueprint("plugin", __name__)


@bp.get("/plugin.tgz")
def newest() -> ResponseReturnValue:
    """The package; OpenCode keeps what it has once installed from this address."""
    response = _response()
    response.headers["Cache-Control"] = "no-cache"
    return response.make_conditional(request)


@bp.get("/plugin/<release>.tgz")
def release(release: str) -> ResponseReturnValue:
    """The package under an address that names its contents; another release leads to the one there is."""
    if release != package().release:
        return redirect(url_for("plugin.newest"), 302)
    response = _response()
    set_immutable(response)
    return response


def package() -> PluginPackage:
    """The package with the address of this server."""
    return plugin_package(services().config.BASE_URL)


def _response() -> Response:
    packed = package()
    response = Response(packed.body, mimetype="application/gzip")
    response.set_etag(packed.release)
    response.headers["Content-Disposition"] = f"attachment; filename={packed.name}-{packed.version}.tgz"
    return response
