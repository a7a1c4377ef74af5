"""Low-latency HLS (RFC 8216bis) from whole pictures and sounds: segments and parts in a bounded window.

Picture and sound are muxed in each part. Variants differ in the sound alone: `opus` as the host sent it, `aac` for
players that need it; both are cut at the same places and share the media sequence numbers. Numbers start at the wall
clock in seconds, so that a restarted process goes on above what it had used and a URL never gets other content.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from livecommerce.media.packaging.access_units import ParameterSets
from livecommerce.media.packaging.fragmented_mp4 import (
    VIDEO_TRACK,
    AacSetup,
    OpusSetup,
    Run,
    Sample,
    fragment,
    initialization,
)
from livecommerce.media.packaging.sound_queue import SoundQueue
from livecommerce.media.packaging.timeline import TimedFrame, TimedUnit
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK

# Ten frames at 30/s fit; eight at 24 or 25/s are still above the 85 % that RFC 8216bis asks of a part.
PART_TICKS = 334 * VIDEO_CLOCK // 1_000
# A keyframe costs as much as ten frames: every three seconds is 5 % more bitrate.
SEGMENT_TICKS = 3 * VIDEO_CLOCK
# Asked for this much before the segment is full: a round trip and the time to the encoder's next picture.
KEYFRAME_LEAD_TICKS = VIDEO_CLOCK // 5
# A keyframe asked for by somebody else may cut the segment earlier, but not to crumbs.
SEGMENT_TICKS_MIN = 3 * VIDEO_CLOCK // 2
# A host that ignores the request: cut anyway, without a key picture. The target duration may never change.
TARGET_SECONDS = 4
SEGMENT_TICKS_MAX = TARGET_SECONDS * VIDEO_CLOCK
# A host away for longer than this leaves a hole: the playlist says so instead of showing a still picture.
HOLE_TICKS = VIDEO_CLOCK
# 21 s are listed: five target durations, so that a player which does not know parts finds its hold-back of three.
SEGMENTS_LISTED = 7
# Players behind a CDN may ask for what left the playlist a moment ago.
SEGMENTS_KEPT = SEGMENTS_LISTED + 4
# 33 s of 4 Mbit/s in two variants are 33 MB; a window larger than this loses its oldest segments early.
BYTES_MAX = 48 * 1024 * 1024
# Web processes ask once for all their viewers; this is for hundreds of them, or for players without one between.
WAITERS_MAX = 2_000
# Longer than three target durations nobody is kept waiting: then the answer is 503 (section 6.2.5.2).
BLOCK_SECONDS = 3.0 * TARGET_SECONDS
DISCONTINUITIES_FIRST_MAX = 4_096
OPUS, AAC = "opus", "aac"


@dataclass
class Part:
    ticks: int
    is_independent: bool
    bodies: dict[str, bytes]


@dataclass
class Segment:
    """`variants` have a body in every part. `initialization` is the file name of the set-up its parts need."""

    number: int
    wall_ms: int
    initialization: str
    is_discontinuous: bool
    variants: frozenset[str]
    parts: list[Part] = field(default_factory=list)
    is_done: bool = False

    @property
    def ticks(self) -> int:
        return sum(part.ticks for part in self.parts)

    @property
    def octets(self) -> int:
        return sum(len(body) for part in self.parts for body in part.bodies.values())


class HlsStream:
    """The window of one show; a `packager.Sink`.

    Args:
        wall_ms: our wall clock for a time on the timeline (90 kHz).
        request_keyframe: asks the host.
        now_seconds: of the wall clock; gives the first media sequence number.

    Attributes:
        next_number: media sequence number of the next segment.
        discontinuities: of the segments that have left the window, counted from a number of this process.
        parameters: of the newest picture; None before the first one.
    """

    def __init__(
        self,
        wall_ms: Callable[[int], int],
        request_keyframe: Callable[[float], None],
        now_seconds: Callable[[], float] = time.time,
    ) -> None:
        self._wall_ms = wall_ms
        self._request_keyframe = request_keyframe
        self._first = self.next_number = int(now_seconds())
        self.segments: list[Segment] = []
        self.is_ended = False
        self.aac: AacSetup | None = None
        # Another count than before a restart; small, because players keep arrays by it.
        self.discontinuities = self._first // 60 % DISCONTINUITIES_FIRST_MAX
        self.parameters: ParameterSets | None = None
        self._initializations: dict[str, ParameterSets] = {}
        self._fragment_number = 0
        self._held: TimedUnit | None = None
        self._samples: list[Sample] = []
        self._part_start = self._part_ticks = 0
        self._segment_start = 0
        self._sounds: dict[str, SoundQueue] = {OPUS: SoundQueue()}
        self._sound_from: dict[str, int] = {}  # by variant: what begins earlier has no picture here (48 kHz)
        self._is_sound_stale = True
        self._is_after_hole = self._is_after_jump = False
        self._aac_setup: AacSetup | None = None
        self._waiters = 0
        self._changed = asyncio.Event()

    # What comes in

    def video(self, picture: TimedUnit) -> None:
        held = self._held
        if held is None:
            if not picture.is_key:
                self._request_keyframe(picture.arrived)
                return
            self._open(picture)
            return
        ticks = picture.time - held.time
        if self._is_after_jump and not picture.is_key:
            self._request_keyframe(picture.arrived)
        is_other = picture.parameters != self.parameters or self._is_after_jump
        if ticks > HOLE_TICKS or (picture.is_key and is_other):
            self._append(held, min(ticks, PART_TICKS))
            self._close_segment()
            self._held, self._is_after_hole = None, True
            if ticks > HOLE_TICKS:
                self._is_sound_stale = True
            self.video(picture)
            return
        self._append(held, ticks)
        self._held = picture
        length = picture.time - self._segment_start
        # The first segment is short: players begin when there is a whole one.
        wanted = SEGMENT_TICKS if len(self.segments) > 1 else SEGMENT_TICKS_MIN
        if length >= wanted - KEYFRAME_LEAD_TICKS and not picture.is_key:
            self._request_keyframe(picture.arrived)

    def audio(self, frame: TimedFrame) -> None:
        self._take_sound(OPUS, frame)

    def jump(self) -> None:
        """Marked as a discontinuity where players can begin anew: at the next key picture, which is asked for."""
        last = self.segments[-1] if self.segments else None
        # Picture and sound are set anew within the same moment: one mark tells of both.
        is_told = last is not None and last.is_discontinuous and last.ticks < VIDEO_CLOCK
        self._is_after_jump = self._held is not None and not is_told

    def aac_frame(self, frame: TimedFrame) -> None:
        """A frame of the AAC variant, on the same timeline."""
        self._take_sound(AAC, frame)

    def _take_sound(self, variant: str, frame: TimedFrame) -> None:
        # The frame that is nearest to the picture, so that neither begins more than half a frame before the other.
        if frame.time + frame.duration // 2 >= self._sound_from.get(variant, 0):
            self._sounds.setdefault(variant, SoundQueue()).put(frame)

    def tick(self, now: float) -> None:
        """Nothing depends on the time alone: without pictures there is nothing to publish."""

    def start_aac(self, setup: AacSetup) -> None:
        """From the next segment on there is an `aac` variant too."""
        self.aac = self._aac_setup = setup
        self._sounds.setdefault(AAC, SoundQueue())

    def stop_aac(self) -> None:
        self.aac = None
        self._sounds.pop(AAC, None)

    def end(self) -> None:
        """The show's stream is over: players are told that nothing follows."""
        if self._held is not None:
            self._append(self._held, VIDEO_CLOCK // 30)
            self._held = None
        self._close_segment()
        self.is_ended = True
        self._wake()

    # Cutting

    def _open(self, picture: TimedUnit) -> None:
        """A new run of pictures begins: after the start, a hole or new parameter sets."""
        if self._is_sound_stale:
            self._is_sound_stale = False
            for variant in self._sounds:
                self._cut_sound(variant, picture)
        if picture.parameters != self.parameters:
            self.parameters = picture.parameters
            self._initializations[f"init-{self._first}-{len(self._initializations)}.mp4"] = picture.parameters
        self._held, self._is_after_jump = picture, False
        self._open_segment(picture)

    def _cut_sound(self, variant: str, picture: TimedUnit) -> None:
        """Sound from before this picture belongs to pictures that are not here; some of it may still come."""
        self._sound_from[variant] = picture.time * AUDIO_CLOCK // VIDEO_CLOCK
        self._sounds[variant].drop_before(self._sound_from[variant])

    def _open_segment(self, picture: TimedUnit) -> None:
        variants = frozenset((OPUS, AAC) if self.aac is not None else (OPUS,))
        for variant in variants - (self.segments[-1].variants if self.segments else frozenset()):
            self._cut_sound(variant, picture)
        name = next(reversed(self._initializations))
        segment = Segment(self.next_number, self._wall_ms(picture.time), name, self._is_after_hole, variants)
        self.segments.append(segment)
        self.next_number += 1
        self._is_after_hole = False
        self._segment_start = self._part_start = picture.time

    def _append(self, picture: TimedUnit, ticks: int) -> None:
        length = picture.time - self._segment_start
        is_cut = picture.is_key and length >= SEGMENT_TICKS_MIN
        if length and (is_cut or length + ticks > SEGMENT_TICKS_MAX):
            self._close_segment()
            self._open_segment(picture)
        elif self._samples and self._part_ticks + ticks > PART_TICKS:
            self._close_part()
        self._samples.append(Sample(picture.unit.sample(), ticks, picture.is_key, picture.unit.composition))
        self._part_ticks += ticks
        if self._part_ticks + ticks > PART_TICKS:  # the next one, most likely as long, would not fit: publish now
            self._close_part()

    def _close_part(self) -> None:
        if not self._samples:
            return
        segment = self.segments[-1]
        end = (self._part_start + self._part_ticks) * AUDIO_CLOCK // VIDEO_CLOCK
        video = Run(VIDEO_TRACK, self._part_start, self._samples)
        self._fragment_number += 1
        bodies = {}
        for variant in segment.variants:
            sounds = self._sounds.get(variant) or SoundQueue()  # AAC may have been stopped within its last segment
            bodies[variant] = fragment(self._fragment_number, (video, sounds.take(end)))
        is_independent = any(sample.is_key for sample in self._samples)
        segment.parts.append(Part(self._part_ticks, is_independent, bodies))
        self._part_start += self._part_ticks
        self._samples, self._part_ticks = [], 0
        self._wake()

    def _close_segment(self) -> None:
        self._close_part()
        if not self.segments or self.segments[-1].is_done:
            return
        if not self.segments[-1].parts:
            self.segments.pop()
            self.next_number -= 1
            return
        self.segments[-1].is_done = True
        while len(self.segments) > SEGMENTS_KEPT or (len(self.segments) > 4 and self.octets > BYTES_MAX):
            gone = self.segments.pop(0)
            self.discontinuities += gone.is_discontinuous
        used = {segment.initialization for segment in self.segments}
        used.add(next(reversed(self._initializations)))
        for name in [name for name in self._initializations if name not in used]:
            del self._initializations[name]
        self._wake()

    @property
    def octets(self) -> int:
        """Bytes held in all variants."""
        return sum(segment.octets for segment in self.segments)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # Waiting

    async def _wait(self, is_ready: Callable[[], bool], seconds: float) -> bool:
        if is_ready():
            return True
        if self._waiters >= WAITERS_MAX:
            return False
        self._waiters += 1
        try:
            async with asyncio.timeout(seconds):
                while not is_ready():
                    await self._changed.wait()
        except TimeoutError:
            return False
        finally:
            self._waiters -= 1
        return True

    def has(self, variant: str, number: int, part: int | None) -> bool:
        """True when this part (None: the whole segment) is in the playlist, or nothing more will be."""
        if self.is_ended:
            return True
        listed = self.listed(variant)
        if not listed:
            return False
        found = next((segment for segment in listed if segment.number == number), None)
        if found is None:
            return number < listed[-1].number
        if part is None or part < len(found.parts):
            return found.is_done or part is not None
        # A part beyond a finished segment means the first of the next one (section 6.2.5.2).
        return found.is_done and self.has(variant, number + 1, 0)

    async def wait_for(self, variant: str, number: int, part: int | None) -> bool:
        """False when it did not come within three target durations (then answer 503)."""
        return await self._wait(lambda: self.has(variant, number, part), BLOCK_SECONDS)

    async def wait_until_playable(self, variant: str) -> bool:
        """Until there is a whole segment; players take a playlist without one for a fault."""
        return await self._wait(
            lambda: self.is_ended or any(segment.is_done for segment in self.listed(variant)), BLOCK_SECONDS
        )

    # What goes out

    def listed(self, variant: str) -> list[Segment]:
        """The segments of a playlist: the last ones, and no hole in a variant that began later."""
        found: list[Segment] = []
        for segment in reversed(self.segments[-SEGMENTS_LISTED - 1 :]):
            if variant not in segment.variants:
                break
            if segment.parts:
                found.append(segment)
        return found[::-1]

    def last_number(self, variant: str) -> int:
        """Of the newest segment; what players may ask for is at most two more."""
        listed = self.listed(variant)
        return listed[-1].number if listed else self.next_number

    def initialization(self, variant: str, name: str) -> bytes | None:
        parameters = self._initializations.get(name)
        sound = OpusSetup() if variant == OPUS else self._aac_setup
        return None if parameters is None or sound is None else initialization([parameters], sound)

    def _segment(self, variant: str, number: int) -> Segment | None:
        return next((one for one in self.segments if one.number == number and variant in one.variants), None)

    def segment(self, variant: str, number: int) -> bytes | None:
        """A finished segment: its parts behind each other."""
        found = self._segment(variant, number)
        if found is None or not found.is_done:
            return None
        return b"".join(part.bodies[variant] for part in found.parts)

    async def part(self, variant: str, number: int, index: int) -> bytes | None:
        """A part; waits for the one that the playlist hints at. None where it is not, or will not be."""

        def is_settled() -> bool:
            found = self._segment(variant, number)
            if found is not None:
                return self.is_ended or found.is_done or len(found.parts) != index
            last = self.segments[-1].number if self.segments else -1
            return self.is_ended or number != last + 1 or index > 0

        await self._wait(is_settled, BLOCK_SECONDS)
        found = self._segment(variant, number)
        return found.parts[index].bodies[variant] if found is not None and len(found.parts) > index else None
