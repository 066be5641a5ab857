"""A redirect names no host: it stays where the client is, whatever the Host header says."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app


def location(app: Flask, path: str) -> str | None:
    """Where a request for exactly this path is sent."""
    environ = EnvironBuilder(path="/", headers={"Host": "example.net"}).get_environ()
    environ["PATH_INFO"] = environ["REQUEST_URI"] = environ["RAW_URI"] = path
    _, status, headers = run_wsgi_app(app.wsgi_app, environ)
    assert status.startswith("308") is ("Location" in headers)
    return headers.get("Location")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("//share//x", "/share/x"),
        ("/share//x", "/share/x"),
        ("///share///x", "/share/x"),
        ("/t/a-token//share//x", "/share/x"),
        ("//api/share//x", "/api/share/x"),
        ("//example.com/share/x", None),
        ("//example.com//..//share//x", None),
        ("//example.com", None),
        ("/\\example.com//share", None),
    ],
)
def test_doubled_slashes_lead_nowhere_else(app: Flask, path: str, target: str | None) -> None:
    assert location(app, path) == target


@pytest.mark.settings(BASE_URL="https://share.example.com/sessions")
def test_a_redirect_keeps_the_path_of_the_public_address(app: Flask) -> None:
    assert location(app, "/sessions//share//x") == "/sessions/share/x"
