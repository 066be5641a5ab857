"""As whom a client counts where requests are limited by address."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Network, ip_address

from flask import request

# Whoever has one IPv6 address has all of its /64 (RFC 6177), so these count together.
PREFIX_BITS = 64


def counted_address() -> str:
    """What the current request counts against; see `counted`."""
    return counted(request.remote_addr or "")


def counted(address: str) -> str:
    """The network of an IPv6 address, any other as it is; an IPv4 address may be written as IPv6."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, IPv4Address):
        return address
    if ip.ipv4_mapped:
        return str(ip.ipv4_mapped)
    return str(IPv6Network((int(ip), PREFIX_BITS), strict=False))
