"""The address and scheme of a request, believing only proxies we trust."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from functools import lru_cache

from aiohttp import web

UNKNOWN = "unknown"
HOPS_MAX = 10  # entries of X-Forwarded-For looked at, from our side; a longer list is somebody's play

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=64)  # one entry per distinct setting: one in a process, a few in tests
def networks(trusted: tuple[str, ...]) -> tuple[Network, ...]:
    """Parses addresses and CIDR ranges of `http.trusted_proxies`.

    Raises:
        ValueError: one is neither.
    """
    return tuple(ipaddress.ip_network(text, strict=False) for text in trusted)


def plain(text: str) -> str | None:
    """An address in its shortest form, IPv4-mapped IPv6 as IPv4, without port or zone; None if it is no address."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


@lru_cache(maxsize=16_384)  # asked for each request and claim; a crowd is thousands of networks
def network_of(address: str) -> str:
    """The one key that budgets, shares and bans count a network by.

    An IPv4 address (also one mapped into IPv6) stands for itself, an IPv6 address for its /64, which one subscriber
    has whole. What is no address stands for itself.
    """
    known = plain(address)
    if known is None or ":" not in known:
        return known or address
    return str(ipaddress.ip_network((known, 64), strict=False))


def _trusted(address: str, trusted: Sequence[Network]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted if network.version == parsed.version)


def is_trusted(peer: str | None, trusted: tuple[str, ...]) -> bool:
    """Whether the other end of a connection is a proxy of ours. A unix-socket peer counts as one."""
    address = plain(peer) if peer else None
    return address is None or _trusted(address, networks(trusted))


def client_address(peer: str | None, forwarded: str | None, trusted: tuple[str, ...]) -> str:
    """The first address, walking from our side, that is not a trusted proxy. A unix-socket peer counts as trusted."""
    known = networks(trusted)
    current = plain(peer) if peer else None
    if current is not None and not _trusted(current, known):
        return current
    for entry in reversed((forwarded or "").split(",")[-HOPS_MAX:]):
        address = plain(entry)
        if address is None:
            break
        current = address
        if not _trusted(address, known):
            break
    return current or UNKNOWN


def request_address(request: web.BaseRequest, trusted: tuple[str, ...]) -> str:
    forwarded = ",".join(request.headers.getall("X-Forwarded-For", []))
    return client_address(request.remote, forwarded or None, trusted)


def request_scheme(request: web.BaseRequest, trusted: tuple[str, ...]) -> str:
    """`https` or `http`: the proxy's word when the peer is a trusted proxy, else the connection's own."""
    if is_trusted(request.remote, trusted):
        said = request.headers.get("X-Forwarded-Proto", "").split(",")[0].strip().lower()
        if said in ("http", "https"):
            return said
    return "https" if request.secure else "http"
