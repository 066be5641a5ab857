"""The address of the client: WSGI middleware that takes the port from it, and the network that it is in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Whoever has one IPv6 address has all of its /64 (RFC 6177), so these count together.
IPV6_PREFIX_BITS = 64
_WITH_PORT = re.compile(r'"?(?:\[([^\]]+)\](?::\d+)?|(\d+(?:\.\d+){3}):\d+)"?')


class ClientAddress:
    """Makes REMOTE_ADDR an address without a port.

    Some proxies write `192.0.2.1:5678` or `[2001:db8::1]:5678` into X-Forwarded-For, with another port for
    each connection.
    """

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if match := _WITH_PORT.fullmatch(environ.get("REMOTE_ADDR", "")):
            environ["REMOTE_ADDR"] = match[1] or match[2]
        return self._app(environ, start_response)


def network_of(address: str) -> str:
    """The /64 of an IPv6 address; an IPv4 address, also one written as IPv6, as it is."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv4Address):
        return address
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(IPv6Network((int(ip), IPV6_PREFIX_BITS), strict=False))
