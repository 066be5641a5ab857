"""WSGI middleware that learns from a proxy in front who is signed in."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MEMBER_KEY = "better_share.member"
MAX_CHARACTERS = 200

Network = IPv4Network | IPv6Network


class ProxySignIn:
    """Takes the name in `header` for that of a member, if it comes from one of `networks` or a unix socket.

    Removes the header in any case and sets `better_share.member`. Must see a request before its
    REMOTE_ADDR is replaced by that of the proxy's client.
    """

    def __init__(
        self, app: WSGIApplication, header: str, networks: Collection[Network], with_unix_socket: bool
    ) -> None:
        self._app = app
        self._key = f"HTTP_{header.upper().replace('-', '_')}"
        self._networks = networks
        self._with_unix_socket = with_unix_socket

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = environ.pop(self._key, "").strip()
        if name and self._is_proxy(environ.get("REMOTE_ADDR", "")):
            environ[MEMBER_KEY] = name[:MAX_CHARACTERS]
        return self._app(environ, start_response)

    def _is_proxy(self, address: str) -> bool:
        if not address:
            return self._with_unix_socket
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._networks)


def signed_in_name() -> str | None:
    """Who is signed in at the proxy, by the name that it gives them."""
    return request.environ.get(MEMBER_KEY)
