"""A stream without a network: sources that send packets, viewers that open what they get with real libsrtp."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any

import pylibsrtp

from livecommerce.media.ingest.feedback import Reception
from livecommerce.media.ingest.source import Publisher, SourceName
from livecommerce.media.stream import Stream
from livecommerce.media.tracks.lane import Lane
from livecommerce.media.transport.srtp import GCM_PROFILE, GcmOutbound, libsrtp_session
from livecommerce.media.transport.udp import Socket
from livecommerce.media.viewers.ladder import Line, Rung
from livecommerce.media.wire import rtp

# Constrained baseline, one of each size: what tells a layer's height.
PARAMETERS = {
    180: bytes.fromhex("6742c014da05067e7840000003004000000f23c50aa8"),
    360: bytes.fromhex("6742c01eda0280bfe584000003000400000300f23c58ba80"),
    720: bytes.fromhex("6742c01fda014016e840000003004000000f23c60ca8"),
}
PICTURE_PARAMETERS = bytes.fromhex("68ce3880")


def aggregate(*units: bytes) -> bytes:
    """One payload of several NAL units (STAP-A)."""
    return b"\x78" + b"".join(struct.pack("!H", len(unit)) + unit for unit in units)


# A whole key picture in one payload, of each size.
KEYS = {height: aggregate(unit, PICTURE_PARAMETERS, b"\x65\x88slice") for height, unit in PARAMETERS.items()}


class RecordingOutbound(GcmOutbound):
    """Real encryption that writes down what Python encrypted under which nonce."""

    __slots__ = ("used",)

    def __init__(self, master: bytes) -> None:
        super().__init__(master)
        self.used: dict[bytes, tuple[bytes, bytes]] = {}
        real = self.encrypt_into

        def encrypt_into(nonce: bytes, payload: bytes, header: bytes, buffer: bytearray | memoryview) -> int:
            known = self.used.setdefault(nonce, (payload, header))
            assert known == (payload, header), "one nonce for two packets"
            return real(nonce, payload, header, buffer)

        self._encrypt_into = encrypt_into


class Wire:
    """In place of UDP sockets, for sending by Python alone: `arrived` by address, segments taken apart."""

    core = None

    def __init__(self) -> None:
        self.arrived: dict[Any, list[bytes]] = {}

    @property
    def udp(self) -> Any:
        """What a relay sends by."""
        return self

    def new_address(self) -> Any:
        """Another viewer's."""
        self.arrived[address := ("198.51.100.1", len(self.arrived) + 1)] = []
        return address

    def take(self, address: Any) -> list[bytes]:
        """What has arrived there since the last call."""
        found, self.arrived[address] = self.arrived[address], []
        return found

    def close(self) -> None: ...

    def setsockopt(self, *_: Any) -> None: ...

    def sendto(self, datagram: bytes, address: Any) -> int:
        self.arrived[address].append(bytes(datagram))
        return len(datagram)

    def sendmsg(self, buffers: Any, control: Any, flags: int, address: Any) -> int:
        data = b"".join(bytes(part) for part in buffers)
        size = struct.unpack("=H", control[0][2])[0] if control else len(data)
        for start in range(0, len(data), size):
            self.sendto(data[start : start + size], address)
        return len(data)


class LoopbackWire:
    """Real UDP sockets, which the compiled core needs."""

    def __init__(self, core: Any) -> None:
        self.core = core
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setblocking(False)
        self._sinks: dict[Any, socket.socket] = {}

    def new_address(self) -> Any:
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        sink.setblocking(False)
        sink.bind(("127.0.0.1", 0))
        self._sinks[sink.getsockname()] = sink
        return sink.getsockname()

    def take(self, address: Any) -> list[bytes]:
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(self._sinks[address].recv(2_048))
        return found

    def close(self) -> None:
        for each in (self.udp, *self._sinks.values()):
            each.close()


@dataclass
class Encoder:
    """One layer as a host sends it: own numbers, own timestamp offset, the clock of all layers."""

    source: SourceName
    height: int
    random: random.Random
    sequence: int = 0
    offset: int = 0
    skipped: list[rtp.RtpPacket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.sequence, self.offset = self.random.randrange(65_536), self.random.randrange(1 << 32)

    def frame(self, clock: int, *, is_key: bool = False, count: int = 3) -> list[rtp.RtpPacket]:
        """A picture taken at `clock` (90 kHz)."""
        bodies = [b"\x61" + self.random.randbytes(self.random.randrange(20, 60)) for _ in range(count)]
        if is_key:
            bodies = [PARAMETERS[self.height], b"\x65" + bodies[0], *bodies[1:]]
        packets = []
        for index, body in enumerate(bodies):
            timestamp = clock + self.offset & 0xFFFFFFFF
            is_last = index == len(bodies) - 1
            packets.append(rtp.RtpPacket(102, is_last, self.sequence & 0xFFFF, timestamp, 9, body, 0, b""))
            self.sequence += 1
        return packets


class FakeHost:
    """A source without a session; `asked` are the layers a keyframe was asked of."""

    session = "host"
    publisher = Publisher("host")
    close_reason = ""
    media_at = None
    limit_kbps = 0
    parameter_sets: tuple[bytes, ...] = ()
    mixed_at = float("-inf")
    kinds = frozenset({"video"})
    status = "connected"
    is_connected = True

    def __init__(self, layers: tuple[str, ...]) -> None:
        self.layers = layers
        self.receptions: dict[SourceName, Reception] = {}
        self.asked: list[SourceName] = []

    def is_silent(self, now: float) -> bool:
        return False

    def tick(self, now: float) -> None: ...

    def request_keyframe(self, source: SourceName) -> None:
        self.asked.append(source)

    def close(self, reason: str) -> None: ...


class Wish:
    """In place of a ladder: takes the layer it is told, by rid; None is sound alone."""

    def __init__(self) -> None:
        self.rid: str | None = ""

    def choose(self, rungs: list[Rung], line: Line, now: float) -> Rung | None:
        if self.rid is None:
            return None
        return next((rung for rung in rungs if rung.name == self.rid), rungs[-1])

    def wanted_kbps(self, rungs: list[Rung]) -> float | None:
        return None


class CrowdViewer:
    """A viewer with a picture lane, whose end counts rollovers by itself.

    Attributes:
        opened: packets as the viewer understood them, by its own extended number.
    """

    def __init__(self, stream: Stream, wire: Wire | LoopbackWire, name: int, chance: random.Random) -> None:
        self.stream, self._wire = stream, wire
        self.session, self.address = f"viewer-{name}", wire.new_address()
        master = chance.randbytes(28)
        lane = Lane(stream.tracks["video"], 102, RecordingOutbound(master), self.address)
        self.lanes = {"video": lane}
        self.ladder = Wish()
        self.estimate_kbps = None
        self.can_probe = False
        self.sound_place = None
        self.replayed_at = float("-inf")
        self.on_closed = None
        self.is_lossy = False
        self.opened: dict[int, rtp.RtpPacket] = {}
        self._receiver = libsrtp_session(GCM_PROFILE, master, inbound=True)
        self._highest: int | None = None
        self.repeated = 0

    def send_reports(self, now: float) -> None: ...

    def close(self, reason: str) -> None: ...

    def look(self) -> None:
        """Opens what has arrived. A repetition is refused by libsrtp; anything else must open."""
        for datagram in self._wire.take(self.address):
            try:
                packet = rtp.parse(self._receiver.unprotect(datagram))
            except pylibsrtp.Error as error:
                if "replay" not in str(error):
                    raise
                self.repeated += 1
                continue
            assert packet is not None
            number = packet.sequence if self._highest is None else rtp.unwrap(packet.sequence, self._highest)
            self._highest = number if self._highest is None else max(number, self._highest)
            known = self.opened.setdefault(number, packet)
            assert known == packet, "one number for two packets"

    @property
    def newest(self) -> int:
        assert self._highest is not None
        return self._highest

    def heights(self) -> list[int]:
        """Sizes of the keyframes in the order of their numbers."""
        sizes = {body: height for height, body in PARAMETERS.items()}
        bodies = [self.opened[number].payload for number in sorted(self.opened)]
        return [sizes[body] for body in bodies if body in sizes]


def make_stream(wire: Wire | LoopbackWire, layers: tuple[str, ...]) -> tuple[Stream, FakeHost]:
    stream = Stream("demo", Socket(wire.udp, wire.core), lambda *_: None)
    host = FakeHost(layers)
    stream.take_host(host)
    return stream, host


def feed(stream: Stream, encoder: Encoder, packets: list[rtp.RtpPacket]) -> None:
    for packet in packets:
        stream.take(encoder.source, packet, time.monotonic())
