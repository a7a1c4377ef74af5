"""A host with simulcast as encoders have it: real H.264 in three sizes, each under a rid, a keyframe each second.

It answers no keyframe requests. What it "loses" on the way it repeats on request by RTX with the repaired rid.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import cache

from livecommerce.media.ingest.whep_client import AUDIO_PAYLOAD, VIDEO_PAYLOAD, WhepClient
from livecommerce.media.transport.dtls import Identity
from livecommerce.media.viewers.viewer import ntp_now
from livecommerce.media.wire import rtcp, sdp
from tests.media.broadcast import Frame, encode_pictures, encode_sound
from tests.media.stage import Stage, until

RATE = 15
LOOP_SECONDS = 2
RTX_PAYLOAD = 103
SIZES = {"0": (640, 360), "1": (320, 180), "2": (160, 90)}
_EXTENSIONS = {9: sdp.MEDIA_ID, 10: sdp.LAYER_ID, 11: sdp.REPAIRED_LAYER_ID}
# Encoders say the rid until the first report tells that it was understood; a second's packets are enough here.
NAMED_PACKETS = 60
LOSE_EVERY = 40


@cache
def _pictures(size: tuple[int, int]) -> list[Frame]:
    return encode_pictures(LOOP_SECONDS, keys_at={0, RATE}, size=size, rate=RATE)


@cache
def _sounds() -> list[Frame]:
    return encode_sound(LOOP_SECONDS)


@dataclass
class _Stream:
    """One SSRC and its repairs."""

    rid: str
    payload_type: int
    ssrc: int = field(default_factory=lambda: secrets.randbits(31) + 1)
    repair_ssrc: int = field(default_factory=lambda: secrets.randbits(31) + 1)
    offset: int = field(default_factory=lambda: secrets.randbits(32))
    sequence: int = field(default_factory=lambda: secrets.randbits(15))
    repair_sequence: int = 0
    packets: int = 0
    sent: dict[int, tuple[bool, int, bytes]] = field(default_factory=dict)


class LayeredHost(WhepClient):
    """Attributes: `is_sending` may be taken from a layer, as an encoder under pressure does; `repaired` counts."""

    def __init__(self) -> None:
        super().__init__(Identity(), host="127.0.0.1", on_reports=self._answer)
        self.streams = {rid: _Stream(rid, VIDEO_PAYLOAD) for rid in SIZES}
        self.sound = _Stream("", AUDIO_PAYLOAD)
        self.is_sending = dict.fromkeys(SIZES, True)
        self.repaired = 0

    def offer(self) -> str:
        lines = super().offer().replace("a=recvonly", "a=sendonly").split("\r\n")
        place = next(index for index, line in enumerate(lines) if line.startswith("m=audio"))
        lines[place:place] = [
            *(f"a=extmap:{identity} {uri}" for identity, uri in _EXTENSIONS.items()),
            f"a=rtpmap:{RTX_PAYLOAD} rtx/90000",
            f"a=fmtp:{RTX_PAYLOAD} apt={VIDEO_PAYLOAD}",
            *(f"a=rid:{rid} send" for rid in SIZES),
            f"a=simulcast:send {';'.join(SIZES)}",
        ]
        return "\r\n".join(lines).replace(f"SAVPF {VIDEO_PAYLOAD}", f"SAVPF {VIDEO_PAYLOAD} {RTX_PAYLOAD}")

    async def run(self, stop: asyncio.Event) -> None:
        """Sends in real time until stopped."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        picture = sound = 0
        while not stop.is_set():
            due = min(picture / RATE, sound / 50)
            await asyncio.sleep(max(0.0, began + due - loop.time()))
            if sound / 50 <= picture / RATE:
                frames = _sounds()
                self._send_frame(self.sound, frames[sound % len(frames)], sound * 960)
                sound += 1
                continue
            for rid, stream in self.streams.items():
                frames = _pictures(SIZES[rid])
                if self.is_sending[rid]:
                    self._send_frame(stream, frames[picture % len(frames)], picture * 90_000 // RATE)
            picture += 1
            if picture % RATE == 0:
                self._report(picture * 90_000 // RATE, sound * 960)

    def _send_frame(self, stream: _Stream, frame: Frame, clock: int) -> None:
        timestamp = clock + stream.offset & 0xFFFFFFFF
        for index, payload in enumerate(frame.payloads):
            marker = index == len(frame.payloads) - 1
            stream.sequence += 1
            stream.packets += 1
            stream.sent[stream.sequence & 0xFFFF] = (marker, timestamp, payload)
            is_lost = stream.rid and stream.packets % LOSE_EVERY == 0
            if not is_lost:
                self._send(stream, stream.payload_type, stream.ssrc, stream.sequence, marker, timestamp, payload, 10)

    def _send(
        self,
        stream: _Stream,
        payload_type: int,
        ssrc: int,
        sequence: int,
        marker: bool,
        timestamp: int,
        payload: bytes,
        extension: int,
    ) -> None:
        is_named = bool(stream.rid) and stream.packets < NAMED_PACKETS
        first = 0x90 if is_named else 0x80
        header = struct.pack(
            "!BBHII", first, payload_type | (0x80 if marker else 0), sequence & 0xFFFF, timestamp, ssrc
        )
        if is_named:
            element = bytes((extension << 4 | len(stream.rid) - 1,)) + stream.rid.encode()
            header += struct.pack("!HH", 0xBEDE, 1) + element.ljust(4, b"\0")
        if self._outbound is not None:
            self.send(self._outbound.seal_rtp(header, payload, ssrc, sequence))

    def _report(self, clock: int, sound_clock: int) -> None:
        now = ntp_now()
        for stream, at in (*((each, clock) for each in self.streams.values()), (self.sound, sound_clock)):
            self.send_rtcp(rtcp.sender_report(stream.ssrc, now, at + stream.offset & 0xFFFFFFFF, stream.packets, 0))

    def _answer(self, items: list[rtcp.Item]) -> None:
        by_ssrc = {stream.ssrc: stream for stream in self.streams.values()}
        for item in items:
            stream = by_ssrc.get(item.media_ssrc) if isinstance(item, rtcp.Nack) else None
            if stream is None or not isinstance(item, rtcp.Nack):
                continue
            for sequence in item.sequences:
                marker, timestamp, payload = stream.sent[sequence]
                stream.repair_sequence += 1
                self.repaired += 1
                body = struct.pack("!H", sequence) + payload
                number = stream.repair_sequence
                self._send(stream, RTX_PAYLOAD, stream.repair_ssrc, number, marker, timestamp, body, 11)


@contextlib.asynccontextmanager
async def layered_host(stage: Stage) -> AsyncIterator[LayeredHost]:
    """A host that is live with all its layers inside the block."""
    host, stop = LayeredHost(), asyncio.Event()
    session = await stage.control.publish("demo", host.offer(), "encoder")
    await host.connect(session.answer.replace("0.0.0.0", "127.0.0.1"))
    running = asyncio.create_task(host.run(stop))
    try:
        await until(lambda: len(stage.stream.alive()) == len(SIZES), "all layers are there")
        yield host
    finally:
        stop.set()
        await running
        host.close()
