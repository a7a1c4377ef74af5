"""A host without a camera: a moving clock and a tone, encoded by PyAV and published through a real WHIP endpoint.

Used by the demo, the load tests and the tests. It comes back by itself when the server restarts.
"""

from __future__ import annotations

import array
import asyncio
import contextlib
import fractions
import logging
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urljoin

import aiohttp
import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from av.video.frame import PictureType

from livecommerce.media.synthetic.picture import Picture
from livecommerce.media.synthetic.stage import Stage

log = logging.getLogger(__name__)

SAMPLE_RATE = 48_000
# 20 ms of Opus.
SAMPLES = 960
# Packets waiting for the sender: half a second; beyond it the oldest is dropped, as a live source must.
QUEUE_MAX = 40
RETRY_SECONDS_MAX = 5.0
# A dead relay answers nothing; the server's own limit for silence is longer.
DEAD_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Quality:
    """What is encoded. The defaults are the reference stream; `SMALL` fits a busy two-core machine.

    `scene`: "measure" carries a time that machines can read back, "stage" is for people to look at.
    """

    width: int = 1280
    height: int = 720
    frames_per_second: int = 30
    bitrate_kbps: int = 1_200
    keyframe_seconds: float = 2.0
    scene: Literal["measure", "stage"] = "measure"


SMALL = Quality(960, 540, 24, 900)
STAGE = Quality(540, 960, 24, 900, scene="stage")


@dataclass(slots=True)
class Encoded:
    """One access unit or audio packet; `pts` in its clock (90 kHz or 48 kHz)."""

    kind: str
    data: bytes
    pts: int
    is_keyframe: bool


class Encoder:
    """Draws and encodes in a thread of its own, in real time.

    Args:
        deliver: called in that thread with each packet.
    """

    def __init__(self, quality: Quality, deliver: Callable[[Encoded], None]) -> None:
        self._quality = quality
        self._deliver = deliver
        self._stop = threading.Event()
        self._keyframe = threading.Event()
        self._thread = threading.Thread(target=self._run, name="synthetic-host", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stops the thread and waits for it."""
        self._stop.set()
        self._thread.join(5.0)

    def request_keyframe(self) -> None:
        """The next picture is an IDR."""
        self._keyframe.set()

    def _video_codec(self) -> Any:
        quality = self._quality
        codec: Any = av.CodecContext.create("libx264", "w")
        codec.width, codec.height, codec.pix_fmt = quality.width, quality.height, "yuv420p"
        codec.framerate = fractions.Fraction(quality.frames_per_second, 1)
        codec.time_base = fractions.Fraction(1, 90_000)
        codec.bit_rate = quality.bitrate_kbps * 1_000
        codec.thread_count = 1
        keyframe_interval = round(quality.keyframe_seconds * quality.frames_per_second)
        codec.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "profile": "baseline",
            "level": "3.1",
            "forced-idr": "1",
            "g": str(keyframe_interval),
            "maxrate": f"{quality.bitrate_kbps}k",
            "bufsize": f"{quality.bitrate_kbps // 2}k",
            # Slices above 1,200 bytes are fragmented anyway; repeat SPS/PPS so that every keyframe is an entrance.
            "x264-params": "repeat-headers=1:scenecut=0:sliced-threads=0",
        }
        codec.open()
        return codec

    @staticmethod
    def _audio_codec() -> Any:
        codec: Any = av.CodecContext.create("libopus", "w")
        codec.sample_rate, codec.layout, codec.format = SAMPLE_RATE, "stereo", "s16"
        codec.time_base = fractions.Fraction(1, SAMPLE_RATE)
        codec.bit_rate = 64_000
        codec.options = {"application": "audio", "frame_duration": "20"}
        codec.open()
        return codec

    def _run(self) -> None:
        try:
            self._produce()
        except Exception:
            log.exception("synthetic host")

    def _produce(self) -> None:
        quality = self._quality
        video, audio = self._video_codec(), self._audio_codec()
        frame = av.VideoFrame(quality.width, quality.height, "yuv420p")
        scene = Stage if quality.scene == "stage" else Picture
        picture = scene(quality.width, quality.height, frame.planes[0].line_size, frame.planes[1].line_size)
        tone, beep = _tone(400, 2_500), _tone(1_000, 9_000)
        began = time.monotonic()
        frames = chunks = 0
        while not self._stop.is_set():
            video_due = began + frames / quality.frames_per_second
            audio_due = began + chunks * SAMPLES / SAMPLE_RATE
            wait = min(video_due, audio_due) - time.monotonic()
            if wait > 0:
                self._stop.wait(wait)
            if audio_due <= video_due:
                is_beep = time.time() % 1.0 < 0.1
                self._encode_audio(audio, beep if is_beep else tone, chunks * SAMPLES)
                chunks += 1
            else:
                self._encode_video(video, picture, frames)
                frames += 1
            late = time.monotonic() - video_due
            if late > 1.0:  # the machine slept or is overloaded: skip, never catch up in a burst
                skipped = int(late * quality.frames_per_second)
                frames += skipped
                chunks = int(frames / quality.frames_per_second * SAMPLE_RATE / SAMPLES)

    def _encode_video(self, codec: Any, picture: Picture | Stage, index: int) -> None:
        frame = av.VideoFrame(picture.width, picture.height, "yuv420p")
        for plane, data in zip(frame.planes, picture.draw(index), strict=True):
            plane.update(data)
        frame.pts = index * 90_000 // self._quality.frames_per_second
        frame.time_base = fractions.Fraction(1, 90_000)
        if self._keyframe.is_set():
            self._keyframe.clear()
            frame.pict_type = PictureType.I
        for packet in codec.encode(frame):
            self._deliver(Encoded("video", bytes(packet), int(packet.pts or 0), bool(packet.is_keyframe)))

    def _encode_audio(self, codec: Any, samples: bytes, pts: int) -> None:
        frame = av.AudioFrame(format="s16", layout="stereo", samples=SAMPLES)
        frame.planes[0].update(samples)
        frame.sample_rate, frame.pts = SAMPLE_RATE, pts
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE)
        for packet in codec.encode(frame):
            self._deliver(Encoded("audio", bytes(packet), pts, True))


def _tone(hertz: int, amplitude: int) -> bytes:
    """20 ms of a stereo sine; hertz must be a multiple of 50 so that chunks join without a click."""
    samples = array.array("h")
    for index in range(SAMPLES):
        value = round(amplitude * math.sin(2 * math.pi * hertz * index / SAMPLE_RATE))
        samples.extend((value, value))
    return samples.tobytes()


class _PacketTrack(MediaStreamTrack):
    """An aiortc track of already encoded packets."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__()
        self._queue: asyncio.Queue[Encoded] = asyncio.Queue(QUEUE_MAX)
        self._clock = 90_000 if kind == "video" else SAMPLE_RATE
        self._needs_keyframe = kind == "video"

    def put(self, encoded: Encoded) -> bool:
        """Queues a packet; False where a keyframe is needed to go on (the first one, or after a drop)."""
        if self._queue.full():
            while not self._queue.empty():
                self._queue.get_nowait()
            self._needs_keyframe = self.kind == "video"
        if self._needs_keyframe and not encoded.is_keyframe:
            return False
        self._needs_keyframe = False
        self._queue.put_nowait(encoded)
        return True

    async def recv(self) -> Any:
        encoded = await self._queue.get()
        packet = av.Packet(encoded.data)
        packet.pts = packet.dts = encoded.pts
        packet.time_base = fractions.Fraction(1, self._clock)
        return packet


class SyntheticHost:
    """Publishes until stopped.

    Args:
        url: the WHIP endpoint, e.g. http://127.0.0.1:8080/whip/demo.
        token: bearer token, or empty.
        should_delete: ends the session by DELETE when stopping (False leaves it as a crash would).

    Attributes:
        kinds: what it announces.
        sending: what of it is sent; may change at any time.
    """

    def __init__(
        self, url: str, token: str = "", *, quality: Quality | None = None, should_delete: bool = True
    ) -> None:
        self.kinds: tuple[str, ...] = ("video", "audio")
        self.sending = {"video", "audio"}
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._quality = quality if quality is not None else Quality()
        self._should_delete = should_delete
        self._tracks: dict[str, _PacketTrack] = {}
        self.publications = 0
        self.keyframe_requests = 0
        self.state = "new"
        self.connected = asyncio.Event()

    def _set_state(self, state: str) -> None:
        if state != self.state:
            log.info("synthetic host: %s -> %s", self.state, state)
            self.state = state
        if state == "connected":
            self.connected.set()
        else:
            self.connected.clear()

    async def run(self, stop: asyncio.Event) -> None:
        """Encodes and publishes until `stop` is set; connects again after every failure (0.3 to 5 s, jittered)."""
        loop = asyncio.get_running_loop()

        def deliver(encoded: Encoded) -> None:
            with contextlib.suppress(RuntimeError):  # the loop closed while the thread was ending
                loop.call_soon_threadsafe(self._deliver, encoder, encoded)

        encoder = Encoder(self._quality, deliver)
        encoder.start()
        failures = 0
        try:
            while not stop.is_set():
                began = loop.time()
                try:
                    await self._publish(encoder, stop)
                except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                    log.warning("synthetic host: %s", error)
                self._set_state("waiting")
                failures = 0 if loop.time() - began > 10 else failures + 1
                pause = min(RETRY_SECONDS_MAX, 0.3 * 2 ** min(failures, 5)) * random.uniform(0.5, 1.0)
                await _wait(stop, pause)
        finally:
            await loop.run_in_executor(None, encoder.close)
            self._set_state("stopped")

    def _deliver(self, encoder: Encoder, encoded: Encoded) -> None:
        track = self._tracks.get(encoded.kind) if encoded.kind in self.sending else None
        if track is not None and not track.put(encoded):
            encoder.request_keyframe()

    async def _publish(self, encoder: Encoder, stop: asyncio.Event) -> None:
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        tracks = {kind: _PacketTrack(kind) for kind in self.kinds}
        ended = asyncio.Event()
        location = ""

        def changed() -> None:
            self._set_state(connection.connectionState)
            if connection.connectionState in ("failed", "closed"):
                ended.set()

        connection.on("connectionstatechange", changed)
        try:
            for kind, track in tracks.items():
                sender = connection.addTrack(track)
                if kind == "video":
                    self._prefer_h264(connection)
                    self._hook_keyframes(sender, encoder)
            await connection.setLocalDescription(await connection.createOffer())
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=8)) as client:
                location = await self._offer(client, connection)
                self.publications += 1
                self._tracks = tracks
                encoder.request_keyframe()
                await self._stay(connection, stop, ended)
                if location and self._should_delete and stop.is_set():
                    async with client.delete(location, headers=self._headers):
                        pass
        finally:
            self._tracks = {}
            await connection.close()

    async def _offer(self, client: aiohttp.ClientSession, connection: RTCPeerConnection) -> str:
        headers = self._headers | {"Content-Type": "application/sdp"}
        async with client.post(self._url, data=connection.localDescription.sdp, headers=headers) as response:
            body = await response.text()
            if response.status != 201:
                raise ValueError(f"the server answered {response.status}: {body[:300]}")
            await connection.setRemoteDescription(RTCSessionDescription(body, "answer"))
            return urljoin(str(response.url), response.headers["Location"])

    async def _stay(self, connection: RTCPeerConnection, stop: asyncio.Event, ended: asyncio.Event) -> None:
        """Until stopped or broken. A relay that was killed is noticed by its missing receiver reports."""
        heard, heard_at = 0, time.monotonic()
        while not stop.is_set() and not ended.is_set():
            await _wait(stop, 0.5, ended)
            report = await connection.getStats()
            count = sum(entry.packetsReceived for entry in report.values() if entry.type == "transport")
            if count != heard:
                heard, heard_at = count, time.monotonic()
            elif time.monotonic() - heard_at > DEAD_SECONDS:
                log.warning("synthetic host: the server has been silent for %.0f s", DEAD_SECONDS)
                return

    @staticmethod
    def _prefer_h264(connection: RTCPeerConnection) -> None:
        codecs = [
            codec
            for codec in RTCRtpSender.getCapabilities("video").codecs
            if codec.mimeType == "video/H264" and codec.parameters.get("profile-level-id") == "42e01f"
        ]
        connection.getTransceivers()[0].setCodecPreferences(codecs)

    def _hook_keyframes(self, sender: RTCRtpSender, encoder: Encoder) -> None:
        # aiortc tells only its own encoder of a PLI; ours is outside, so the sender's hook is taken over.
        def requested() -> None:
            self.keyframe_requests += 1
            encoder.request_keyframe()

        sender._send_keyframe = requested


async def _wait(first: asyncio.Event, seconds: float, second: asyncio.Event | None = None) -> None:
    """Until one of the events is set or the time is over."""
    waiting = [asyncio.create_task(event.wait()) for event in (first, second) if event is not None]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
