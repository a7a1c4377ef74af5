"""A host's packets, both ways of sending, and a viewer's socket that finds out every nonce."""

from __future__ import annotations

import socket
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from livecommerce.media.compiled import compiled
from livecommerce.media.tracks.lane import Lane
from livecommerce.media.tracks.track import (
    CanonicalPacket,
    Track,
)
from livecommerce.media.wire import rtp

# Both ways of sending, where the compiled one was built.
CORES = list(dict.fromkeys((compiled.core(), None)))


def core_name(core: Any) -> str:
    return "Python" if core is None else "compiled"


IDR, PICTURE, SEQUENCE = b"\x65", b"\x61", b"\x67"


def packet(sequence: int, *, body: bytes = PICTURE, timestamp: int = 0, marker: bool = True) -> rtp.RtpPacket:
    return rtp.RtpPacket(102, marker, sequence & 0xFFFF, timestamp, 9, body + b"x" * 20, 0, b"")


def feed(track: Track, sequences: list[int], now: float = 1.0) -> list[CanonicalPacket]:
    for sequence in sequences:
        track.take(packet(sequence, timestamp=sequence * 3_000), now)
    return track.flush(1.0)


class Witness:
    """A viewer's socket that finds out under which nonce each datagram was sealed, whoever sealed it."""

    def __init__(self) -> None:
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.udp.setblocking(False)
        self.udp.bind(("127.0.0.1", 0))
        self.used: dict[int, bytes] = {}
        self.opened = 0

    def look(self, lane: Lane) -> None:
        """Takes what has arrived for the lane: each datagram must open under the index its number stands for."""
        while True:
            try:
                datagram = self.udp.recv(2_048)
            except BlockingIOError:
                return
            sequence = int.from_bytes(datagram[2:4], "big")
            newest = lane.track.highest + lane.shift
            index = rtp.unwrap(sequence, newest)
            nonce = lane.nonce_base ^ index
            AESGCM(lane.gcm._key).decrypt(nonce.to_bytes(12, "big"), datagram[12:], datagram[:12])
            assert self.used.setdefault(nonce, datagram) == datagram, "one nonce for two packets"
            self.opened += 1
