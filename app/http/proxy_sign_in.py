"""WSGI middleware that learns from a proxy in front who is signed in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING

from flask import request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MEMBER_KEY = "better_share.member"
GROUPS_KEY = "better_share.groups"
MAX_CHARACTERS = 200
# Authentik separates groups by bars, the others by commas.
GROUP_SEPARATOR = re.compile("[,|]")

Network = IPv4Network | IPv6Network


class ProxySignIn:
    """Takes the name in `header` for that of a member, if it comes from one of `networks` or a unix socket.

    Their groups are in `groups_header`, empty for none. Removes the headers in any case and sets
    `better_share.member` and `better_share.groups`. Must see a request before its REMOTE_ADDR is replaced by
    that of the proxy's client.
    """

    def __init__(
        self,
        app: WSGIApplication,
        header: str,
        groups_header: str,
        networks: Collection[Network],
        with_unix_socket: bool,
    ) -> None:
        self._app = app
        self._keys = {MEMBER_KEY: _environ_key(header)}
        if groups_header:
            self._keys[GROUPS_KEY] = _environ_key(groups_header)
        self._networks = networks
        self._with_unix_socket = with_unix_socket

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        sent = {name: _decoded(environ.pop(key, "")) for name, key in self._keys.items()}
        sent[MEMBER_KEY] = sent[MEMBER_KEY][:MAX_CHARACTERS]
        if sent[MEMBER_KEY] and self._is_proxy(environ.get("REMOTE_ADDR", "")):
            environ.update(sent)
        return self._app(environ, start_response)

    def _is_proxy(self, address: str) -> bool:
        if not address:
            return self._with_unix_socket
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._networks)


def signed_in_name() -> str:
    """Who is signed in at the proxy, by the name that it gives them; empty for nobody."""
    name: str = request.environ.get(MEMBER_KEY, "")
    return name


def signed_in_groups() -> tuple[str, ...]:
    """The groups of who is signed in at the proxy, in the order of their names."""
    names = GROUP_SEPARATOR.split(request.environ.get(GROUPS_KEY, ""))
    return tuple(sorted({name.strip() for name in names} - {""}))


def _decoded(value: str) -> str:
    """A header as UTF-8, where WSGI has its bytes as Latin-1 (PEP 3333)."""
    return value.encode("latin-1").decode(errors="replace").strip()


def _environ_key(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"
