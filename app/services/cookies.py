"""Cookies that no script reads, no other site sends, and that plain HTTP does not carry behind https."""

from __future__ import annotations

from werkzeug import Response

from app.services.container import services


def set_cookie(response: Response, name: str, value: str, max_age: int, below: str = "") -> None:
    """A cookie for `max_age` seconds, for all pages of the server or those `below` a path."""
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path=_path(below),
        secure=services().config.BASE_URL.startswith("https:"),
        httponly=True,
        samesite="Lax",
    )


def delete_cookie(response: Response, name: str, below: str = "") -> None:
    response.delete_cookie(name, path=_path(below))


def _path(below: str) -> str:
    return f"{services().config.base_path}{below}" or "/"
