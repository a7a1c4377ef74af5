"""Sending: the same packets to many viewers, each under its own key, by as few system calls as the kernel allows.

`UDP_SEGMENT` (GSO) hands the kernel one buffer of equal segments; where a path refuses it, plain sends take over for
the rest of the process. Viewers of one payload type, number phase and rollover share headers and packet indices.
"""

from __future__ import annotations

import errno
import logging
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from livecommerce.media.srtp import TAG_BYTES, CmOutbound, GcmOutbound, Outbound
from livecommerce.media.stun import Address
from livecommerce.media.track import CanonicalPacket, Track, phase_for, runs

log = logging.getLogger(__name__)

_SOL_UDP, _UDP_SEGMENT = 17, 103
# What a path without segmentation offload answers.
_GSO_REFUSALS = (errno.EIO, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOPROTOOPT)


class StreamPath(Protocol):
    """A TCP connection that carries framed datagrams (RFC 4571)."""

    def send(self, datagram: bytes) -> None: ...


@dataclass(slots=True)
class SendCounters:
    """What left the socket. `refused` counts datagrams the kernel had no room for; viewers ask for them again."""

    packets: int = 0
    calls: int = 0
    octets: int = 0
    refused: int = 0


class Socket:
    """A non-blocking UDP socket with sticky GSO."""

    def __init__(self, udp: socket.socket) -> None:
        self._udp = udp
        self.counters = SendCounters()
        self.has_gso = self._probe()

    def _probe(self) -> bool:
        try:
            self._udp.setsockopt(_SOL_UDP, _UDP_SEGMENT, 0)
        except OSError:
            return False
        return True

    def send(self, datagram: bytes, address: Address) -> None:
        try:
            self._udp.sendto(datagram, address)
        except (BlockingIOError, InterruptedError):
            self.counters.refused += 1
            return
        except OSError as error:
            # Unreachable peers, firewalls: the peer's silence will end it.
            log.debug("send to %s: %s", address, error)
            self.counters.refused += 1
            return
        self.counters.packets += 1
        self.counters.calls += 1
        self.counters.octets += len(datagram)

    def send_segments(self, buffers: Sequence[bytes], count: int, octets: int, control: Control, lane: Lane) -> None:
        """One call for `count` datagrams of equal size (header and sealed body alternate in `buffers`)."""
        counters = self.counters
        try:
            self._udp.sendmsg(buffers, control, 0, lane.address)
        except (BlockingIOError, InterruptedError):
            counters.refused += count
            return
        except OSError as error:
            if error.errno in _GSO_REFUSALS and control:
                log.warning("segmentation offload is off from now on: %s", error)
                self.has_gso = False
                for index in range(0, len(buffers), 2):
                    self.send(buffers[index] + buffers[index + 1], lane.address)
                return
            counters.refused += count
            return
        counters.packets += count
        counters.calls += 1
        counters.octets += octets


Control = list[tuple[int, int, bytes]]


class Lane:
    """One track towards one viewer.

    Attributes:
        shift: added to a canonical number gives the viewer's SRTP packet index (RFC 3711 section 3.3.1).
        nonce_base: salt and SSRC, ready to be XORed with a packet index (GCM only).
        cursor: next number to replay while catching up; None when live.
    """

    __slots__ = (
        "address",
        "cursor",
        "encrypt",
        "is_started",
        "nonce_base",
        "octets",
        "outbound",
        "packets",
        "payload_type",
        "phase",
        "shift",
        "stream_path",
        "track",
    )

    def __init__(self, track: Track, payload_type: int, outbound: Outbound, address: Address) -> None:
        self.track = track
        self.payload_type = payload_type
        self.outbound = outbound
        self.address = address
        self.stream_path: StreamPath | None = None
        self.is_started = False
        self.cursor: int | None = None
        self.phase = self.shift = 0
        self.packets = self.octets = 0
        if isinstance(outbound, GcmOutbound):
            self.encrypt = outbound.encrypt
            self.nonce_base = outbound.salt ^ track.ssrc << 48

    def start(self, number: int) -> None:
        """Fixes the number phase and rollover origin by the first packet this viewer may get. Once in a lane's life."""
        if self.is_started:
            raise RuntimeError("a lane starts once: a second origin would use a nonce twice")
        self.is_started = True
        self.phase = phase_for(number)
        self.shift = self.phase - ((number + self.phase) & ~0xFFFF)

    def seal(self, packet: CanonicalPacket) -> bytes:
        """The SRTP datagram of one packet; the same bytes each time."""
        header = packet.header(self.payload_type, self.phase, self.track.ssrc)
        return self.outbound.seal_rtp(header, packet.body, self.track.ssrc, packet.number + self.shift)

    @property
    def is_fast(self) -> bool:
        """GCM over UDP: the path by which nearly everyone is served."""
        return self.stream_path is None and not isinstance(self.outbound, CmOutbound)


LaneKey = tuple[int, int, int]


class FanOut:
    """The live lanes of one track, grouped by what their packets have in common."""

    def __init__(self, track: Track, socket_: Socket) -> None:
        self.track = track
        self._socket = socket_
        self._fast: dict[LaneKey, list[Lane]] = {}
        self._slow: list[Lane] = []

    @property
    def lane_count(self) -> int:
        return len(self._slow) + sum(map(len, self._fast.values()))

    def add(self, lane: Lane) -> None:
        """The lane gets every flushed packet from now on."""
        if lane.is_fast:
            self._fast.setdefault((lane.payload_type, lane.phase, lane.shift), []).append(lane)
        else:
            self._slow.append(lane)

    def discard(self, lane: Lane) -> None:
        key = (lane.payload_type, lane.phase, lane.shift)
        for lanes in (self._fast.get(key, []), self._slow):
            if lane in lanes:
                lanes.remove(lane)
        if key in self._fast and not self._fast[key]:
            del self._fast[key]

    def send(self, packets: Sequence[CanonicalPacket]) -> None:
        """Everything flushed, to every live lane."""
        for run in runs(packets):
            for key, lanes in self._fast.items():
                self._send_run(run, key, lanes)
            for lane in self._slow:
                self._send_slow(run, lane)

    def send_to(self, packets: Sequence[CanonicalPacket], lane: Lane) -> None:
        """Replay or repair for one lane."""
        for run in runs(packets):
            if lane.is_fast:
                self._send_run(run, (lane.payload_type, lane.phase, lane.shift), (lane,))
            else:
                self._send_slow(run, lane)

    def _send_run(self, run: Sequence[CanonicalPacket], key: LaneKey, lanes: Sequence[Lane]) -> None:
        payload_type, phase, shift = key
        ssrc = self.track.ssrc
        prepared = [(p.number + shift, p.header(payload_type, phase, ssrc), p.body) for p in run]
        count = len(run)
        octets = sum(12 + len(p.body) + TAG_BYTES for p in run)
        udp = self._socket
        control: Control = []
        if count > 1:
            if not udp.has_gso:
                for lane in lanes:
                    self._send_slow(run, lane)
                return
            control = [(_SOL_UDP, _UDP_SEGMENT, struct.pack("=H", 12 + len(run[0].body) + TAG_BYTES))]
        send = udp.send_segments
        for lane in lanes:
            encrypt, nonce_base = lane.encrypt, lane.nonce_base
            buffers: list[bytes] = []
            for index, header, body in prepared:
                buffers.append(header)
                buffers.append(encrypt((nonce_base ^ index).to_bytes(12, "big"), body, header))
            send(buffers, count, octets, control, lane)
            lane.packets += count
            lane.octets += octets

    def _send_slow(self, run: Sequence[CanonicalPacket], lane: Lane) -> None:
        for packet in run:
            datagram = lane.seal(packet)
            if lane.stream_path is not None:
                lane.stream_path.send(datagram)
            else:
                self._socket.send(datagram, lane.address)
            lane.packets += 1
            lane.octets += len(datagram)
