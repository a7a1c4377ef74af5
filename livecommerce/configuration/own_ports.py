"""Every port that the processes of one machine bind, by the setting that chooses it."""

from __future__ import annotations

import socket

from livecommerce.configuration.tree import Settings
from livecommerce.ops.ports import internal_port


def own_ports(settings: Settings) -> list[tuple[str, int, socket.SocketKind, str]]:
    """(address, port, TCP or UDP, setting) of everything the processes of one machine bind; ports of 0 left out."""
    wanted: list[tuple[str, int, socket.SocketKind, str]] = []
    if settings.http.port:
        wanted.append((settings.http.host, settings.http.port, socket.SOCK_STREAM, "http.port"))
    if settings.media.port:
        for index in range(settings.media.relays):
            place = (settings.media.host, settings.media.port + index)
            wanted += [(*place, kind, "media.port") for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
    for role, count in (("web", settings.web_processes), ("relay", settings.media.relays), ("worker", 1)):
        for index in range(count):
            port = internal_port(settings.http.internal_port, role, index)
            if port:
                wanted.append((settings.http.internal_host, port, socket.SOCK_STREAM, "http.internal_port"))
    return wanted
