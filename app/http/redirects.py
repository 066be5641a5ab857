"""Keeps redirects on the host that a client asked."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from flask import Flask, Response


def init_app(app: Flask) -> None:
    @app.after_request
    def leave_out_the_host(response: Response) -> Response:
        """Werkzeug corrects doubled slashes by a 308 with the Host header, which anybody can send."""
        if response.status_code == 308 and response.location and urlsplit(response.location).netloc:
            _, _, path, query, fragment = urlsplit(response.location)
            response.location = urlunsplit(("", "", f"/{path.lstrip('/')}", query, fragment))
        return response
