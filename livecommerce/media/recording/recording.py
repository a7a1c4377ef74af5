"""Records a show as fragmented MP4 without transcoding, so that a crash costs at most the last second.

The event loop only makes fragments of half a second; a thread writes them (take_writer.py).
Time 0 of all takes is `origin_ms` in the manifest, so the takes of a show can be played as one.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from livecommerce.media.packaging.access_units import ParameterSets
from livecommerce.media.packaging.fragmented_mp4 import (
    VIDEO_TRACK,
    Run,
    Sample,
    fragment,
)
from livecommerce.media.packaging.sound_queue import SoundQueue
from livecommerce.media.packaging.timeline import TimedFrame, TimedUnit
from livecommerce.media.recording import files
from livecommerce.media.recording.take_writer import DESCRIPTIONS_MAX, DISK, Begin, Describe, Disk, Piece, TakeWriter
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK

# What a crash may cost, and a `moof` of 1 KB in 90 KB of media.
FRAGMENT_TICKS = VIDEO_CLOCK // 2
# A picture is written after this long even when none follows it, as one of the usual length: another, of the camera or
# drawn in its place, may begin soon after it.
HELD_SECONDS = 0.7
LAST_PICTURE_TICKS = VIDEO_CLOCK // 30
# The replay jumps to key pictures; viewers who join ask for them anyway, this is for a quiet show.
KEYFRAME_SECONDS = 10.0


class Recording:
    """One take; a `packager.Sink`.

    Args:
        folder: of the show (files.folder_of).
        wall_ms: our wall clock for a time on the timeline (90 kHz).
    """

    def __init__(
        self,
        folder: Path,
        show: str,
        wall_ms: Callable[[int], int],
        request_keyframe: Callable[[float], None],
        disk: Disk = DISK,
    ) -> None:
        self.folder, self.show = folder, show
        self._wall_ms = wall_ms
        self._request_keyframe = request_keyframe
        self.writer = TakeWriter(folder, show, disk)
        # A take of an earlier process or stream: same clock, same list of set-ups.
        known = files.read_manifest(folder)
        self._origin_ms = known.origin_ms if known is not None else None
        self._descriptions = known.parameters() if known is not None else []
        self._shift = 0
        self._has_begun = False
        self._description = 0
        self._parameters: ParameterSets | None = None
        self._held: TimedUnit | None = None
        self._samples: list[Sample] = []
        self._start = self._ticks = 0
        self._sounds = SoundQueue()
        self._number = 0
        self._is_after_jump = False
        self._key_at = float("-inf")

    def video(self, picture: TimedUnit) -> None:
        if not self._has_begun:
            if not picture.is_key:
                return
            self._begin(picture)
        held, self._held = self._held, picture
        if held is not None:
            self._append(held, picture.time - held.time)
        if picture.is_key:
            self._key_at = picture.arrived
        elif picture.arrived - self._key_at > KEYFRAME_SECONDS:
            self._request_keyframe(picture.arrived)

    def audio(self, frame: TimedFrame) -> None:
        if self._has_begun:
            self._sounds.put(frame)

    def jump(self) -> None:
        """The next fragment begins here, and the manifest tells of it."""
        if self._has_begun:
            self._close_fragment()
            self._is_after_jump = True

    def tick(self, now: float) -> None:
        """Writes the last picture when none follows (the host is away)."""
        if self._held is not None and now - self._held.arrived > HELD_SECONDS:
            held, self._held = self._held, None
            self._append(held, LAST_PICTURE_TICKS)
            self._close_fragment()

    def _begin(self, picture: TimedUnit) -> None:
        self._has_begun = True
        started_ms = self._wall_ms(picture.time)
        if self._origin_ms is None:
            self._origin_ms = started_ms
        self._shift = max(0, started_ms - self._origin_ms) * VIDEO_CLOCK // 1_000 - picture.time
        self.writer.put(Begin(started_ms, picture.parameters))

    def _append(self, picture: TimedUnit, ticks: int) -> None:
        if picture.is_key and picture.parameters != self._parameters:
            self._close_fragment()
            self._describe(picture.parameters)
        elif self._samples and (
            picture.is_key or self._ticks + ticks > FRAGMENT_TICKS or picture.time != self._start + self._ticks
        ):
            self._close_fragment()
        if not self._samples:
            self._start = picture.time
        data, shown = picture.unit.sample(with_parameters=True), picture.unit.composition
        self._samples.append(Sample(data, ticks, picture.is_key, shown))
        self._ticks += ticks

    def _describe(self, parameters: ParameterSets) -> None:
        self._parameters = parameters
        if parameters not in self._descriptions:
            self._descriptions.append(parameters)
            self.writer.put(Describe(parameters))
        # Beyond the room in the head the sets in the stream itself must do: players that read them there go on.
        self._description = min(self._descriptions.index(parameters) + 1, DESCRIPTIONS_MAX)

    def _close_fragment(self) -> None:
        if not self._samples:
            return
        end = self._start + self._ticks
        video = Run(VIDEO_TRACK, self._start + self._shift, self._samples, self._description)
        self._number += 1
        sound = self._sounds.take(end * AUDIO_CLOCK // VIDEO_CLOCK, self._shift * AUDIO_CLOCK // VIDEO_CLOCK)
        data = fragment(self._number, (video, sound))
        jumped_ms = self._wall_ms(self._start) if self._is_after_jump else 0
        self._is_after_jump = False
        self.writer.put(Piece(data, self._samples[0].is_key, self._description, self._wall_ms(end), jumped_ms))
        self._samples, self._ticks = [], 0

    def finish(self) -> None:
        """The last picture and fragment; then `writer.close()` (which blocks) ends the take."""
        if self._held is not None:
            self._append(self._held, LAST_PICTURE_TICKS)
            self._held = None
        self._close_fragment()
