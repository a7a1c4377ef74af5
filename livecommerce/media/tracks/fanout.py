"""Sending: the same packets to many viewers, each under its own key, by as few system calls as the kernel allows.

The compiled core (compiled.py) serves a whole audience in one call, by `sendmmsg`. Without it, the loop here groups
viewers of one payload type, number phase and rollover: they share headers and packet indices, and a burst is one send
of equal segments (`UDP_SEGMENT`).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from livecommerce.media.tracks.lane import Lane, LaneKey
from livecommerce.media.tracks.track import EXTENSION_BYTES, CanonicalPacket, Track, runs
from livecommerce.media.transport.srtp import TAG_BYTES
from livecommerce.media.transport.udp import SOL_UDP, UDP_SEGMENT, Socket

if TYPE_CHECKING:
    from livecommerce.media.compiled._sending import Outlet, PacketFields


def _fields(packet: CanonicalPacket) -> PacketFields:
    return packet.number, packet.timestamp, packet.marker, packet.is_padded, packet.send_time, packet.body


Control = list[tuple[int, int, bytes]]


GroupKey = tuple[LaneKey, LaneKey | None]
# (nonce index, header, body, where the sealed body goes)
Prepared = tuple[int, bytes, bytes, memoryview]


class Outlets:
    """Lanes of the compiled core with their outlets, listed anew only when somebody has come or gone."""

    def __init__(self) -> None:
        self.by_lane: dict[Lane, Outlet] = {}
        self._listed: tuple[list[Lane], list[Outlet]] | None = None

    def add(self, lane: Lane, outlet: Outlet) -> None:
        self.by_lane[lane] = outlet
        self._listed = None

    def discard(self, lane: Lane) -> None:
        if self.by_lane.pop(lane, None) is not None:
            self._listed = None

    def listed(self) -> tuple[list[Lane], list[Outlet]]:
        if self._listed is None:
            self._listed = list(self.by_lane), list(self.by_lane.values())
        return self._listed


class FanOut:
    """The live lanes of one track: those of the compiled core as they come, others grouped by what their packets share.

    A sound lane whose viewer also has a live picture lane is riding: its packet may be the last, shorter segment of a
    picture's send, which saves a system call a packet.
    """

    def __init__(self, track: Track, socket_: Socket) -> None:
        self.track = track
        self._socket = socket_
        self._compiled = Outlets()
        self._compiled_riding = Outlets()
        self._fast: dict[GroupKey, list[Lane]] = {}
        self._riding: dict[GroupKey, list[Lane]] = {}
        self._slow: list[Lane] = []

    @property
    def lane_count(self) -> int:
        groups = (*self._fast.values(), *self._riding.values())
        return (
            len(self._slow) + len(self._compiled.by_lane) + len(self._compiled_riding.by_lane) + sum(map(len, groups))
        )

    def add(self, lane: Lane, *, is_riding: bool = False) -> None:
        """The lane gets every flushed packet from now on."""
        if not lane.is_fast:
            self._slow.append(lane)
        elif (outlet := self._outlet(lane, lane.rider)) is not None:
            (self._compiled_riding if is_riding else self._compiled).add(lane, outlet)
        else:
            groups = self._riding if is_riding else self._fast
            groups.setdefault((lane.key, lane.rider.key if lane.rider is not None else None), []).append(lane)

    def discard(self, lane: Lane) -> None:
        self._compiled.discard(lane)
        self._compiled_riding.discard(lane)
        key = (lane.key, lane.rider.key if lane.rider is not None else None)
        for groups in (self._fast, self._riding):
            lanes = groups.get(key, [])
            if lane in lanes:
                lanes.remove(lane)
                if not lanes:
                    del groups[key]
        if lane in self._slow:
            self._slow.remove(lane)

    def _outlet(self, lane: Lane, rider: Lane | None = None) -> Outlet | None:
        """The lane, as it is now, for the compiled core; None where Python serves it."""
        core = self._socket.core
        if core is None:
            return None
        if not isinstance(lane.sent, core.Tally):
            tally = core.Tally()
            tally.packets, tally.octets = lane.packets, lane.octets
            lane.sent = tally
        host, port, *more = lane.address
        outlet: Outlet = core.Outlet(
            lane.gcm.compiled_key(core),
            lane.sent,
            str(host).partition("%")[0],
            port,
            more[1] if len(more) > 1 else 0,
            lane.ssrc,
            lane.payload_type,
            lane.phase,
            lane.shift,
            lane.time_shift & 0xFFFFFFFF,
            lane.send_time_id,
            None if rider is None else self._outlet(rider),
        )
        return outlet

    def send(self, packets: Sequence[CanonicalPacket], rider: tuple[Track, CanonicalPacket] | None = None) -> bool:
        """Everything flushed, to every live lane.

        Args:
            rider: a sound packet to take along for lanes that have a rider.

        Returns:
            True where the rider travelled with all of them; else the sound fan-out has to send it itself.
        """
        found = list(runs(packets))
        has_ridden = rider is not None and self.takes(packets, rider[1])
        for run in found:
            guest = rider if has_ridden and run is found[-1] else None
            self._send_compiled(run, self._compiled, guest)
            self._send_compiled(run, self._compiled_riding)
            for (key, rider_key), lanes in self._fast.items():
                self._send_run(run, key, lanes, guest if rider_key is not None else None)
            for (key, _), lanes in self._riding.items():
                self._send_run(run, key, lanes)
            for lane in self._slow:
                self._send_slow(run, lane)
        return has_ridden

    def send_alone(self, packets: Sequence[CanonicalPacket]) -> None:
        """To the lanes that are not riding: the others' packets went with their pictures."""
        for run in runs(packets):
            self._send_compiled(run, self._compiled)
            for (key, _), lanes in self._fast.items():
                self._send_run(run, key, lanes)
            for lane in self._slow:
                self._send_slow(run, lane)

    def send_to(self, packets: Sequence[CanonicalPacket], lane: Lane) -> None:
        """Replay or repair for one lane."""
        outlet = self._compiled.by_lane.get(lane) or self._compiled_riding.by_lane.get(lane)
        if outlet is None and lane.is_fast:
            outlet = self._outlet(lane)
        for run in runs(packets):
            if outlet is not None:
                self._serve([lane], [outlet], run, None)
            elif lane.is_fast:
                self._send_run(run, lane.key, (lane,))
            else:
                self._send_slow(run, lane)

    def _send_compiled(
        self,
        run: Sequence[CanonicalPacket],
        outlets: Outlets,
        guest: tuple[Track, CanonicalPacket] | None = None,
    ) -> None:
        lanes, found = outlets.listed()
        if found:
            self._serve(lanes, found, run, guest[1] if guest is not None else None)

    def _serve(
        self,
        lanes: Sequence[Lane],
        outlets: list[Outlet],
        run: Sequence[CanonicalPacket],
        guest: CanonicalPacket | None,
    ) -> None:
        """A run to all outlets by the compiled core, and the guest to those that have a rider."""
        udp = self._socket
        if udp.core is None:
            raise RuntimeError("no core, no outlets")
        packets = [_fields(packet) for packet in run]
        guest_fields = None if guest is None else _fields(guest)
        first = 0
        # The core comes back early after many refusals, having served one outlet at least.
        while first < len(outlets):
            served, calls, taken, octets, refused, failures = udp.core.send(
                udp.fileno(), outlets[first:] if first else outlets, packets, guest_fields, udp.has_gso
            )
            udp.sent(calls, taken, octets)
            udp.counters.refused += refused
            for position, number, segment, datagrams in failures:
                error = OSError(number, os.strerror(number))
                udp.failed(error, bytearray(datagrams), segment, lanes[first + position].address)
            first += served

    def takes(self, packets: Sequence[CanonicalPacket], guest: CanonicalPacket) -> bool:
        """Whether a guest may come along as the last segment of these packets.

        Only the last segment of a send may be shorter, so a run with a short tail has no room for a guest.
        """
        if not packets or not self._socket.has_gso:
            return False
        *_, run = runs(packets)
        # A viewer may have abs-send-time with its sound alone.
        return len(guest.body) + EXTENSION_BYTES <= len(run[0].body) == len(run[-1].body)

    def _prepare(
        self,
        run: Sequence[CanonicalPacket],
        key: LaneKey,
        guest: tuple[Track, CanonicalPacket] | None,
        lanes: Sequence[Lane],
    ) -> tuple[bytearray, list[Prepared], Prepared | None]:
        """One buffer for all lanes of a group: headers are written once, sealed bodies over and over."""
        headers = [(packet, lanes[0].header(packet), key.shift) for packet in run]
        if guest is not None:
            rider = lanes[0].rider
            if rider is None:
                raise RuntimeError("a guest without a lane")
            headers.append((guest[1], rider.header(guest[1]), rider.shift))
        buffer = bytearray(sum(len(header) + len(packet.body) + TAG_BYTES for packet, header, _ in headers))
        view = memoryview(buffer)
        prepared: list[Prepared] = []
        position = 0
        for packet, header, shift in headers:
            body = position + len(header)
            end = body + len(packet.body) + TAG_BYTES
            buffer[position:body] = header
            prepared.append((packet.number + shift, header, packet.body, view[body:end]))
            position = end
        return buffer, prepared, prepared.pop() if guest is not None else None

    def _send_run(
        self,
        run: Sequence[CanonicalPacket],
        key: LaneKey,
        lanes: Sequence[Lane],
        guest: tuple[Track, CanonicalPacket] | None = None,
    ) -> None:
        udp = self._socket
        count = len(run) + (guest is not None)
        if count > 1 and not udp.has_gso:
            for lane in lanes:
                self._send_slow(run, lane)
                if guest is not None and lane.rider is not None:
                    self._send_slow((guest[1],), lane.rider)
            return
        buffer, prepared, guests = self._prepare(run, key, guest, lanes)
        segment = len(prepared[0][1]) + len(run[0].body) + TAG_BYTES
        control: Control = [(SOL_UDP, UDP_SEGMENT, struct.pack("=H", segment))] if count > 1 else []
        octets = sum(len(packet.body) for packet in run)
        sendmsg, parts, run_count, taken = udp.sendmsg, (buffer,), len(run), 0
        for lane in lanes:
            encrypt_into, nonce_base, sent = lane.gcm.encrypt_into, lane.nonce_base, lane.sent
            for index, header, body, place in prepared:
                encrypt_into((nonce_base ^ index).to_bytes(12, "big"), body, header, place)
            if guests is not None and (rider := lane.rider) is not None:
                index, header, body, place = guests
                rider.gcm.encrypt_into((rider.nonce_base ^ index).to_bytes(12, "big"), body, header, place)
                rider.sent.packets += 1
                rider.sent.octets += len(body)
            sent.packets += run_count
            sent.octets += octets
            try:
                sendmsg(parts, control, 0, lane.address)
                taken += 1
            except OSError as error:
                udp.failed(error, buffer, segment, lane.address)
        udp.sent(taken, taken * count, taken * len(buffer))

    def _send_slow(self, run: Sequence[CanonicalPacket], lane: Lane) -> None:
        for packet in run:
            datagram = lane.seal(packet)
            if lane.stream_path is not None:
                lane.stream_path.send(datagram)
            else:
                self._socket.send(datagram, lane.address)
            lane.sent.packets += 1
            lane.sent.octets += len(packet.body)
