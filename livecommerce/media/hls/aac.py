"""Opus to AAC, once a stream, for players that cannot play Opus. In a thread of its own, started on demand."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from livecommerce.media.packaging.fragmented_mp4 import AacSetup
from livecommerce.media.packaging.timeline import TimedFrame
from livecommerce.media.wire.rtp import AUDIO_CLOCK

log = logging.getLogger(__name__)

# The BANDWIDTH of the variant in the multivariant playlist counts with it.
BITRATE = 128_000
# Of AAC-LC, always.
FRAME_SAMPLES = 1_024
# Five seconds of sound: a thread that is further behind is not going to catch up; the oldest frames are left out.
FRAMES_WAITING_MAX = 250


class AacEncoder:
    """Args:
    on_ready: called once on the event loop with the AudioSpecificConfig, before any frame.
    on_frame: called on the event loop with each AAC frame at its place on the timeline (48 kHz).
    """

    def __init__(self, on_ready: Callable[[AacSetup], None], on_frame: Callable[[TimedFrame], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_ready, self._on_frame = on_ready, on_frame
        self._queue: queue.Queue[TimedFrame | None] = queue.Queue(FRAMES_WAITING_MAX)
        self.dropped_frames = 0
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="aac", daemon=True)
        self._thread.start()

    def put(self, frame: TimedFrame) -> None:
        """Never blocks."""
        try:
            self._queue.put_nowait(frame)
        except queue.Full:
            self.dropped_frames += 1

    async def caught_up(self) -> None:
        """Until all that was put so far has been encoded and told."""
        await asyncio.to_thread(self._queue.join)
        await asyncio.sleep(0)

    def stop(self) -> None:
        """Ends the thread soon; nothing is told any more. Does not wait."""
        self._is_stopped = True
        while True:
            try:
                self._queue.put_nowait(None)
                break
            except queue.Full:
                try:
                    self._queue.get_nowait()
                    self._queue.task_done()
                except queue.Empty:
                    continue

    def _tell(self, call: Callable[[Any], None], value: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(self._deliver, call, value)
        except RuntimeError:  # the loop has been closed: the process is going
            log.debug("aac: nobody listens any more")

    def _deliver(self, call: Callable[[Any], None], value: Any) -> None:
        if not self._is_stopped:
            call(value)

    def _run(self) -> None:
        try:
            self._transcode()
        except Exception:
            log.exception("aac")

    def _frames(self) -> Iterator[TimedFrame]:
        while True:
            frame = self._queue.get()
            try:
                if frame is None:
                    return
                yield frame
            finally:
                self._queue.task_done()

    def _transcode(self) -> None:
        import av  # 40 MB of codecs: only where a player asked for AAC
        from av.audio.resampler import AudioResampler

        decoder: Any = av.CodecContext.create("libopus", "r")
        encoder: Any = av.CodecContext.create("aac", "w")
        encoder.sample_rate, encoder.layout, encoder.format = AUDIO_CLOCK, "stereo", "fltp"
        encoder.bit_rate, encoder.time_base = BITRATE, Fraction(1, AUDIO_CLOCK)
        encoder.open()
        resampler = AudioResampler("fltp", "stereo", AUDIO_CLOCK, FRAME_SAMPLES)
        self._tell(self._on_ready, AacSetup(bytes(encoder.extradata)))
        expected: int | None = None
        for frame in self._frames():
            if expected is None or abs(frame.time - expected) > FRAME_SAMPLES:
                # The start, or a jump of the timeline: samples are counted from here.
                base, counted = frame.time, 0
                resampler = AudioResampler("fltp", "stereo", AUDIO_CLOCK, FRAME_SAMPLES)
            expected = frame.time + frame.duration
            try:
                pieces = decoder.decode(av.Packet(frame.data))
            except av.error.FFmpegError:  # damaged by its sender: a gap, and the next one begins at its own place
                expected = None
                continue
            for decoded in pieces:
                decoded.pts = None
                for piece in resampler.resample(decoded):
                    piece.pts, piece.time_base = base + counted, Fraction(1, AUDIO_CLOCK)
                    counted += piece.samples
                    for packet in encoder.encode(piece):
                        if packet.pts >= 0:
                            self._tell(self._on_frame, TimedFrame(packet.pts, bytes(packet), FRAME_SAMPLES))
