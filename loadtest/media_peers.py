"""Peers of the media load test: a host that sends prepared packets on time, viewers that only count.

The host writes its send time (CLOCK_MONOTONIC, one clock for all processes of a machine) into each picture, so that a
viewer that opens packets can tell the forward delay.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from livecommerce.errors import LiveCommerceError
from livecommerce.media.client.control import RelayControl
from livecommerce.media.ingest.whep_client import AUDIO_PAYLOAD, VIDEO_PAYLOAD, WhepClient
from livecommerce.media.transport.dtls import Identity
from livecommerce.media.wire import rtp, sdp

FRAMES_PER_SECOND = 30
PACKETS_PER_FRAME = 5
PICTURE_BODY_BYTES = 1_155  # five of them thirty times a second, with headers: 1.4 Mbit/s
SOUND_BODY_BYTES = 160  # Opus at 64 kbit/s
KEYFRAME_EVERY = 60
SPS = bytes.fromhex("6742c01fda014016ec0440000003004000000f03c60ca8")
STAMP = struct.Struct("!Q")
_VIDEO_END = 0x80 | VIDEO_PAYLOAD
# A viewer's socket holds some pictures; one or two packets wait in it meanwhile.
SWEEP_SECONDS = 0.01
REPAIR_PAYLOAD = VIDEO_PAYLOAD + 1


# SPS and PPS of 720p: its key pictures are filler and have none, and nobody may enter at a picture without.
PARAMETER_SETS = "Z0LAH4yNQFAe0A8IhGo=,aM48gA=="


class LoadHost(WhepClient):
    """Publishes 720p30-like packets without an encoder."""

    def offer(self) -> str:
        plain = super().offer().replace("a=recvonly", "a=sendonly")
        return plain.replace("packetization-mode=1", f"packetization-mode=1;sprop-parameter-sets={PARAMETER_SETS}")

    async def run(self, stop: asyncio.Event) -> None:
        """Sends in real time until stopped; three video frames and five sounds each 100 ms."""
        loop = asyncio.get_running_loop()
        filler = os.urandom(PICTURE_BODY_BYTES)
        began = loop.time()
        frame = sound = 0
        while not stop.is_set():
            due = min(frame / FRAMES_PER_SECOND, sound / 50)
            await asyncio.sleep(max(0.0, began + due - loop.time()))
            if sound / 50 <= frame / FRAMES_PER_SECOND:
                self._send(AUDIO_PAYLOAD, 2, sound, sound * 960, True, filler[:SOUND_BODY_BYTES])
                sound += 1
            else:
                self._send_frame(frame, filler)
                frame += 1

    def _send_frame(self, frame: int, filler: bytes) -> None:
        is_keyframe = frame % KEYFRAME_EVERY == 0
        unit = 5 if is_keyframe else 1
        stamp = STAMP.pack(time.monotonic_ns())
        for index in range(PACKETS_PER_FRAME):
            first, last = index == 0, index == PACKETS_PER_FRAME - 1
            head = bytes((0x7C, (0x80 if first else 0) | (0x40 if last else 0) | unit))
            body = head + stamp + filler[: PICTURE_BODY_BYTES - 10]
            self._send(VIDEO_PAYLOAD, 1, frame * PACKETS_PER_FRAME + index, frame * 3_000, last, body)

    def _send(self, payload_type: int, ssrc: int, number: int, timestamp: int, marker: bool, body: bytes) -> None:
        header = struct.pack(
            "!BBHII", 0x80, payload_type | (0x80 if marker else 0), number & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc
        )
        if self._outbound is not None:
            self.send(self._outbound.seal_rtp(header, body, ssrc, number))


class LoadViewer(WhepClient):
    """Offers what browsers do for repairs and estimates: their packets carry times of sending, 8 bytes more each."""

    def offer(self) -> str:
        first = f"a=rtpmap:{VIDEO_PAYLOAD} H264/90000"
        more = (
            f"a=rtcp-fb:{VIDEO_PAYLOAD} goog-remb",
            f"a=extmap:2 {sdp.SEND_TIME}",
            f"a=rtpmap:{REPAIR_PAYLOAD} rtx/90000",
            f"a=fmtp:{REPAIR_PAYLOAD} apt={VIDEO_PAYLOAD}",
        )
        plain = super().offer().replace(f"SAVPF {VIDEO_PAYLOAD}\r\n", f"SAVPF {VIDEO_PAYLOAD} {REPAIR_PAYLOAD}\r\n")
        return plain.replace(first, "\r\n".join((first, *more)))


def run_host(control_path: str, core: int | None, is_live: object, stop: object) -> None:
    """The host's process. `is_live` and `stop` are multiprocessing events."""
    if core is not None:
        os.sched_setaffinity(0, {core})

    async def go() -> None:
        control = RelayControl(control_path)
        host = LoadHost(Identity(), host="127.0.0.1")
        session = await control.publish("load", host.offer(), "load")
        await host.connect(session.answer)
        local_stop = asyncio.Event()
        sending = asyncio.create_task(host.run(local_stop))
        is_live.set()  # type: ignore[attr-defined]
        while not stop.is_set():  # type: ignore[attr-defined]
            await asyncio.sleep(0.1)
        local_stop.set()
        await sending
        host.close()
        await control.close()

    asyncio.run(go())


@dataclass(slots=True)
class Joined:
    """One viewer's join: milliseconds from the POST to the end of the first picture; None where it failed."""

    milliseconds: float | None = None
    failure: str = ""


@dataclass
class Crowd:
    """Viewers that have joined. After joining their sockets are only counted, outside the event loop."""

    clients: list[WhepClient] = field(default_factory=list)
    sessions: list[str] = field(default_factory=list)
    joins: list[Joined] = field(default_factory=list)
    delays_ms: list[float] = field(default_factory=list)

    def opener(self) -> Callable[[rtp.RtpPacket], None]:
        """For a probing viewer: notes the forward delay of each picture's first packet."""

        def note(packet: rtp.RtpPacket) -> None:
            if packet.payload_type == VIDEO_PAYLOAD and packet.payload[1] & 0x80 and len(packet.payload) > 10:
                (sent,) = STAMP.unpack_from(packet.payload, 2)
                self.delays_ms.append((time.monotonic_ns() - sent) / 1e6)

        return note

    async def join(
        self, control: RelayControl, identity: Identity, *, is_probe: bool = False, rests: bool = False
    ) -> WhepClient | None:
        """Joins one viewer and times it to its first whole picture.

        With `rests` its socket leaves the loop then: `count` reads it, and until that the kernel drops what does not
        fit, so that the load generator does not become what is measured.
        """
        joined = Joined()
        self.joins.append(joined)
        seen = asyncio.Event()

        def look(datagram: bytes) -> None:
            if datagram[1] == _VIDEO_END:
                seen.set()

        client = LoadViewer(identity, on_datagram=look, on_packet=self.opener() if is_probe else None, host="127.0.0.1")
        began = time.monotonic()
        try:
            session = await control.play("load", client.offer())
            self.sessions.append(session.session)
            await client.connect(session.answer)
            await asyncio.wait_for(seen.wait(), 10)
        except Exception as error:
            joined.failure = repr(error)[:200]
            client.close()
            return None
        joined.milliseconds = (time.monotonic() - began) * 1_000
        self.clients.append(client)
        if rests:
            asyncio.get_running_loop().remove_reader(client.socket.fileno())
        return client

    def count(self, seconds: float) -> tuple[int, int]:
        """Reads every socket for some time: (packets, octets). Keeps the viewers alive with checks.

        In sweeps, not by waiting: over loopback it is the sender's core that would wake a waiting reader up, once a
        packet, which no server does for viewers on a network.
        """
        receives = [client.socket.recv_into for client in self.clients]
        buffer = bytearray(2_048)
        packets = octets = 0
        end = time.monotonic() + seconds
        check_at, next_check = time.monotonic(), 0
        while (now := time.monotonic()) < end:
            for receive in receives:
                try:
                    while True:
                        octets += receive(buffer)
                        packets += 1
                except BlockingIOError:
                    continue
            # every viewer checks each 2.5 s, spread evenly, as browsers do
            due = int((now - check_at) / 2.5 * len(self.clients))
            while next_check < due:
                self.clients[next_check % len(self.clients)].check()
                next_check += 1
            time.sleep(max(0.0, now + SWEEP_SECONDS - time.monotonic()))
        return packets, octets

    async def leave(self, control: RelayControl) -> None:
        """Ends all sessions, so that the next round does not pay for them."""
        for session in self.sessions:
            with contextlib.suppress(LiveCommerceError):
                await control.stop("whep", "load", session)
        for client in self.clients:
            client.close(goodbye=False)
        self.clients.clear()
        self.sessions.clear()
