"""What leaves the relay besides WebRTC: a recording of each live show where wanted, and LL-HLS where somebody asks.

HLS costs nothing until its first request, and ends a minute after its last one. Its routes belong to the control app;
the web role (or a CDN behind it) asks once for all its viewers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from livecommerce.errors import BadInput, NotFound, StreamUnknown, Unavailable
from livecommerce.media.aac import AacEncoder
from livecommerce.media.hls import AAC, OPUS, HlsStream
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
PLAYLIST_TYPE, MEDIA_TYPE = "application/vnd.apple.mpegurl", "video/mp4"
# RFC 8216bis appendix B.1: blocking answers never change and may be kept for six target durations; others hardly.
BLOCKING_AGE_SECONDS, PLAIN_AGE_SECONDS = 24, 1
# They never change, but nobody asks for them after the window has passed.
MEDIA_AGE_SECONDS = 3_600
# Players may ask for the next segment, or by the standard one more (section 6.2.5.2).
AHEAD_MAX = 2
# A segment of four seconds has 13 parts; more is no player's question (the standard allows three seconds ahead).
PART_MAX = 40
_NUMBER = re.compile(r"[0-9]{1,12}")
_MEDIA = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?\.m4s")
_INITIALIZATION = re.compile(r"init-[0-9]{1,12}-[0-9]{1,6}\.mp4")


class _AacFeed:
    """Passes sound on to the encoder; a `packager.Sink`."""

    def __init__(self, encoder: AacEncoder) -> None:
        self.encoder = encoder

    def video(self, picture: TimedUnit) -> None:
        """Not for us."""

    def audio(self, frame: TimedFrame) -> None:
        self.encoder.put(frame)

    def tick(self, now: float) -> None:
        """Nothing depends on the time alone."""


class ShowOutput:
    """Packager, recording and HLS of one stream."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.packager = Packager(stream.request_keyframe, self._clocks)
        self.recording: Recording | None = None
        self.hls: HlsStream | None = None
        self.asked_at = self.aac_asked_at = float("-inf")
        self._aac: _AacFeed | None = None
        stream.taps.append(self.packager.take)

    def _clocks(self) -> tuple[Clock, Clock] | None:
        video, audio = self.stream.followed.report, self.stream.tracks["audio"].report
        return None if video is None or audio is None else (Clock(*video), Clock(*audio))

    def _wall_ms(self, ticks: int) -> int:
        return (self.packager.wall_ms or 0) + ticks // 90

    def record(self, folder: Path) -> None:
        """Begins a take with the next key picture."""
        if self.recording is None:
            self.recording = Recording(folder, self.stream.show, self._wall_ms, self.packager.want_keyframe)
            self.packager.sinks.append(self.recording)

    def play(self, now: float) -> HlsStream:
        """The HLS window, begun if there is none."""
        self.asked_at = now
        if self.hls is not None and self.hls.is_ended and self.stream.state is StreamState.LIVE:
            self._stop_hls()
        if self.hls is None:
            log.info("hls of %s begins", self.stream.show)
            self.hls = HlsStream(self._wall_ms, self.packager.want_keyframe)
            self.packager.sinks.append(self.hls)
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
            self._drop(self.hls)
            self.hls.end()
            self.hls = None

    def _drop(self, sink: Sink) -> None:
        with contextlib.suppress(ValueError):  # it may have ended before
            self.packager.sinks.remove(sink)

    def stream_ended(self) -> Recording | None:
        """No more pictures: players are told; gives the recording to be closed in a thread."""
        recording, self.recording = self.recording, None
        if recording is not None:
            recording.finish()
            self._drop(recording)
        self._stop_aac()
        if self.hls is not None:
            self._drop(self.hls)
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
                    self._output(show).record(folder_of(self._data_folder, show))
            elif event["state"] == "ended" and show in self._shows:
                self._close_recording(self._shows[show].stream_ended())
        except Exception:  # the show goes on without
            log.exception("outputs of %s", show)

    def _output(self, show: str) -> ShowOutput:
        """
        Raises:
            StreamUnknown: nothing is live under this id.
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

    # HTTP

    def routes(self) -> list[web.RouteDef]:
        """For the relay's control app."""
        return [
            web.get("/hls/{show:[a-z0-9-]{1,40}}/index.m3u8", self.get_multivariant),
            web.get("/hls/{show:[a-z0-9-]{1,40}}/{variant:opus|aac}/index.m3u8", self.get_playlist),
            web.get("/hls/{show:[a-z0-9-]{1,40}}/{variant:opus|aac}/{file}", self.get_media),
        ]

    def _hls(self, request: web.Request) -> HlsStream:
        output, now = self._output(request.match_info["show"]), time.monotonic()
        if output.hls is None and output.stream.state is not StreamState.LIVE:
            raise StreamUnknown(retry_after_ms=2_000)
        hls = output.play(now)
        if request.match_info.get("variant") == AAC:
            output.play_aac(now)
        return hls

    async def get_multivariant(self, request: web.Request) -> web.Response:
        hls = self._hls(request)
        if not await hls.wait_until_playable(OPUS) or not (text := hls.multivariant()):
            raise Unavailable("The stream has no picture yet.", retry_after_ms=2_000)
        return _playlist(text, PLAIN_AGE_SECONDS)

    async def get_playlist(self, request: web.Request) -> web.Response:
        """Blocks until the segment or part that `_HLS_msn` and `_HLS_part` name is there (section 6.2.5.2)."""
        hls, variant = self._hls(request), request.match_info["variant"]
        number, part = _directive(request, "_HLS_msn"), _directive(request, "_HLS_part")
        if number is None:
            if part is not None:
                raise BadInput("_HLS_part needs _HLS_msn.")
            if not await hls.wait_until_playable(variant):
                raise Unavailable("The stream has no picture yet.", retry_after_ms=2_000)
            return _playlist(hls.playlist(variant), PLAIN_AGE_SECONDS)
        if number > hls.last_number(variant) + AHEAD_MAX:
            raise BadInput("_HLS_msn is more than two segments ahead.")
        if part is not None and part > PART_MAX:
            raise BadInput("_HLS_part is beyond any segment.")
        if not await hls.wait_for(variant, number, part):
            raise Unavailable("The stream stands still.", retry_after_ms=1_000)
        return _playlist(hls.playlist(variant), BLOCKING_AGE_SECONDS)

    async def get_media(self, request: web.Request) -> web.Response:
        hls, variant, file = self._hls(request), request.match_info["variant"], request.match_info["file"]
        body: bytes | None = None
        if _INITIALIZATION.fullmatch(file):
            body = hls.initialization(variant, file)
        elif found := _MEDIA.fullmatch(file):
            number = int(found[1])
            body = hls.segment(variant, number) if found[2] is None else await hls.part(variant, number, int(found[2]))
        if body is None:
            raise NotFound("This segment is not, or no more, in the window.")
        return web.Response(
            body=body,
            content_type=MEDIA_TYPE,
            headers={"Cache-Control": f"public, max-age={MEDIA_AGE_SECONDS}, immutable"},
        )


def _directive(request: web.Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise BadInput(f"{name} is a number.")
    return int(text)


def _playlist(text: str, age_seconds: int) -> web.Response:
    return web.Response(
        text=text, content_type=PLAYLIST_TYPE, headers={"Cache-Control": f"public, max-age={age_seconds}"}
    )
