"""What leaves the relay besides WebRTC: a recording of each live show where wanted, and LL-HLS where somebody asks.

HLS costs nothing until its first request, and ends a minute after its last one (its routes: hls_app.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from livecommerce.media.errors import StreamUnknown
from livecommerce.media.hls.aac import AacEncoder
from livecommerce.media.hls.window import HlsStream
from livecommerce.media.packaging.access_units import ParameterSets
from livecommerce.media.packaging.curtain import Curtain
from livecommerce.media.packaging.packager import Packager, Sink
from livecommerce.media.packaging.timeline import Clock, TimedFrame, TimedUnit
from livecommerce.media.recording.files import folder_of
from livecommerce.media.recording.recording import Recording
from livecommerce.media.stream import Stream, StreamState

log = logging.getLogger(__name__)

# Finer than a part; holes and late sound are looked at this often.
TICK_SECONDS = 0.1
# A page that plays asks every third of a second; a CDN in front of many may be silent for some seconds.
IDLE_SECONDS = 60.0
# An encoder nobody needs costs 2 % of a core.
AAC_IDLE_SECONDS = 60.0


class _AacFeed:
    """Passes sound on to the encoder; a `packager.Sink`."""

    def __init__(self, encoder: AacEncoder) -> None:
        self.encoder = encoder

    def video(self, picture: TimedUnit) -> None:
        """Not for us."""

    def audio(self, frame: TimedFrame) -> None:
        self.encoder.put(frame)

    def jump(self) -> None:
        """Sound goes on without a hole."""

    def tick(self, now: float) -> None:
        """Nothing depends on the time alone."""


class ShowOutput:
    """Packager, recording and HLS of one stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.packager = Packager(
            stream.request_keyframe,
            self._clocks,
            known=lambda: ParameterSets(*stream.parameter_sets()),
            has_picture=self._has_picture,
        )
        self.recording: Recording | None = None
        self.hls: HlsStream | None = None
        self.asked_at = self.aac_asked_at = float("-inf")
        self._aac: _AacFeed | None = None
        self._curtain: Curtain | None = None
        stream.taps.append(self.packager.take)

    def _clocks(self) -> tuple[Clock, Clock] | None:
        video, audio = self.stream.followed.report, self.stream.tracks["audio"].report
        return None if video is None or audio is None else (Clock(*video), Clock(*audio))

    def _has_picture(self) -> bool:
        """A picture that was never entered here, and that nobody can enter, is none."""
        is_unseen = self.packager.video.counters.keys == 0
        return self.stream.has_picture and not (is_unseen and self.stream.is_closed(time.monotonic()))

    def _wall_ms(self, ticks: int) -> int:
        return (self.packager.wall_ms or 0) + ticks // 90

    def record(self, folder: Path) -> None:
        """Begins a take with the next key picture."""
        if self.recording is None:
            self.recording = Recording(folder, self.stream.show, self._wall_ms, self.packager.want_keyframe)
            self.packager.sinks.append(self.recording)
            self.stream.catch_up(self.packager.take)

    def play(self, now: float) -> HlsStream:
        """The HLS window, begun if there is none."""
        self.asked_at = now
        if self.hls is not None and self.hls.is_ended and self.stream.state is StreamState.LIVE:
            self._stop_hls()
        if self.hls is None:
            log.info("hls of %s begins", self.stream.show)
            self.hls = HlsStream(self._wall_ms, self.packager.want_keyframe)
            self._curtain = Curtain(self.hls, self.stream.is_closed)
            self.packager.sinks.append(self._curtain)
            self.stream.catch_up(self.packager.take)
            self.packager.want_keyframe(now)
        return self.hls

    def play_aac(self, now: float) -> None:
        """From the next segment on with AAC."""
        self.aac_asked_at = now
        if self._aac is None and self.hls is not None and not self.hls.is_ended:
            log.info("aac of %s begins", self.stream.show)
            self._aac = _AacFeed(AacEncoder(self.hls.start_aac, self.hls.aac_frame))
            self.packager.sinks.append(self._aac)

    def tick(self, now: float) -> None:
        if self.stream.tracks["audio"].is_doubted:
            self.packager.timeline.forget_reports()
        self.packager.tick(now)
        if self._aac is not None and now - self.aac_asked_at > AAC_IDLE_SECONDS:
            self._stop_aac()
        if self.hls is not None and now - self.asked_at > IDLE_SECONDS:
            self._stop_hls()

    def _stop_aac(self) -> None:
        if self._aac is not None:
            log.info("aac of %s ends", self.stream.show)
            self._drop(self._aac)
            self._aac.encoder.stop()
            self._aac = None
            if self.hls is not None:
                self.hls.stop_aac()

    def _stop_hls(self) -> None:
        self._stop_aac()
        if self.hls is not None:
            log.info("hls of %s ends", self.stream.show)
            self._drop(self._curtain)
            self.hls.end()
            self.hls = None

    def _drop(self, sink: Sink | None) -> None:
        if sink in self.packager.sinks:  # it may have ended before
            self.packager.sinks.remove(sink)

    def stream_ended(self) -> Recording | None:
        """No more pictures: players are told; gives the recording to be closed in a thread."""
        self.packager.finish()
        recording, self.recording = self.recording, None
        if recording is not None:
            recording.finish()
            self._drop(recording)
        self._stop_aac()
        if self.hls is not None:
            self._drop(self._curtain)
            self.hls.end()
        return recording

    @property
    def is_idle(self) -> bool:
        return self.recording is None and self.hls is None

    def close(self) -> Recording | None:
        recording = self.stream_ended()
        self.hls = None
        with contextlib.suppress(ValueError):
            self.stream.taps.remove(self.packager.take)
        return recording


class Outputs:
    """Args:
    streams: of the media plane, by show.
    data_folder: recordings go below it; None records nothing.
    """

    def __init__(self, streams: Mapping[str, Stream], data_folder: str | Path | None) -> None:
        self._streams = streams
        self._data_folder = data_folder
        self._shows: dict[str, ShowOutput] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._ticking: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._ticking = asyncio.create_task(self._tick(), name="outputs")

    async def close(self) -> None:
        """Ends all recordings; waits until their last fragments are on disk."""
        if self._ticking is not None:
            self._ticking.cancel()
        for show in list(self._shows):
            self._close_recording(self._shows.pop(show).close())
        if self._closing:
            await asyncio.wait(self._closing)

    def note(self, show: str, event: Mapping[str, Any]) -> None:
        """A stream event of the media plane. Does not block."""
        try:
            if event["state"] == "live":
                if self._data_folder is not None:
                    self.output(show).record(folder_of(self._data_folder, show))
            elif event["state"] == "ended" and show in self._shows:
                self._close_recording(self._shows[show].stream_ended())
        except Exception:  # the show goes on without
            log.exception("outputs of %s", show)

    def output(self, show: str) -> ShowOutput:
        """What is made of the show that is here under this id, begun anew where its stream is another one.

        Raises:
            StreamUnknown: nothing is here under this id.
        """
        stream = self._streams.get(show)
        if stream is None:
            raise StreamUnknown(retry_after_ms=2_000)
        output = self._shows.get(show)
        if output is None or output.stream is not stream:
            if output is not None:
                self._close_recording(output.close())
            output = self._shows[show] = ShowOutput(stream)
        return output

    def _close_recording(self, recording: Recording | None) -> None:
        if recording is not None:
            task = asyncio.create_task(asyncio.to_thread(recording.writer.close))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _tick(self) -> None:
        while True:
            now = time.monotonic()
            for show, output in list(self._shows.items()):
                try:
                    output.tick(now)
                except Exception:
                    log.exception("outputs of %s", show)
                if output.is_idle or self._streams.get(show) is not output.stream:
                    del self._shows[show]
                    self._close_recording(output.close())
            await asyncio.sleep(TICK_SECONDS)

    def metrics(self) -> dict[str, float]:
        """Gauges for Prometheus; names are stable."""
        recordings = [output.recording for output in self._shows.values() if output.recording is not None]
        windows = [output.hls for output in self._shows.values() if output.hls is not None]
        return {
            "recordings": len(recordings),
            "recordings_not_writing": sum(one.writer.state != "recording" for one in recordings),
            "recording_octets": sum(one.writer.counters.octets for one in recordings),
            "recording_fragments_dropped": sum(one.writer.counters.dropped for one in recordings),
            "hls_shows": len(windows),
            "hls_octets": sum(one.octets for one in windows),
        }
