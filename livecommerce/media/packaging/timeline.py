"""One clock for both tracks: where each picture and each sound belongs, counted from the first one. Pure.

Video leads: its place is its own RTP timestamp. Audio is laid end to end without a hole (players drift at holes): where
frames are missing, silence stands for them; where there are too many, some are left out. How the two RTP clocks relate
comes from the sender reports (RFC 3550 section 6.4.1) as far as they can be true, else from the times of arrival.
Where no camera sends, sound leads, and drawn pictures are laid beside it (stand_in.py).
"""

from __future__ import annotations

from typing import NamedTuple

from livecommerce.media.packaging.access_units import AccessUnit, OpusFrame, ParameterSets, extend
from livecommerce.media.packaging.stand_in import STAND_IN_TICKS
from livecommerce.media.tracks.agreement import is_believable
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK

# RFC 6716: a 20 ms full-band CELT frame, mono, whose range coder holds nothing. Every decoder makes silence of it.
SILENCE = b"\xf8\xff\xfe"
# 20 ms at 48 kHz, what browsers and OBS send.
FRAME_SAMPLES = 960
# Below one frame there is nothing to add or leave out; so sound is never further than this from its picture.
TOLERANCE_SAMPLES = FRAME_SAMPLES
# Sound may arrive this much after its picture before silence takes its place.
AUDIO_LATE_SAMPLES = AUDIO_CLOCK // 2
# A host who comes back within a minute resumes the stream; that long a hole is filled with 3,000 frames of 3 bytes.
SILENCE_SAMPLES_MAX = 65 * AUDIO_CLOCK
# A camera is given up 3 s after its last picture: that is caught up with. Sound that is further on was away itself.
STAND_IN_BEHIND_SAMPLES_MAX = 5 * AUDIO_CLOCK
# Reports jitter by some milliseconds; a third of each new one keeps the average within a few reports.
SKEW_SHARE = 1 / 3
# How sound arrives beside its picture is judged by so much of it. What holds is kept to a little further than what is
# new: jitter must not change it to and fro.
HEARD_SECONDS, KEPT_SECONDS = 1.0, 0.1
# A jump of this many samples (200 ms) is another relation, not jitter.
SKEW_JUMP_SAMPLES = AUDIO_CLOCK // 5


class TimedUnit(NamedTuple):
    """A picture at `time` (90 kHz, from the timeline's zero). `arrived` is monotonic seconds."""

    time: int
    unit: AccessUnit
    arrived: float

    @property
    def is_key(self) -> bool:
        return self.unit.is_key

    @property
    def parameters(self) -> ParameterSets:
        return self.unit.parameters


class TimedFrame(NamedTuple):
    """An Opus frame at `time`, `duration` long (48 kHz, from the timeline's zero)."""

    time: int
    data: bytes
    duration: int


class Clock(NamedTuple):
    """What a sender report says: this RTP timestamp (32 bit) was sampled at this NTP time (64 bit)."""

    ntp: int
    timestamp: int


class Timeline:
    """Zero is the first key picture, or the first sound where the show begins without a camera.

    Attributes:
        silent_frames: put in for missing sound.
        skipped_frames: left out.
        is_standing_in: the last picture was drawn; the next one of a camera has to be a key picture.
    """

    def __init__(self) -> None:
        self.silent_frames = self.skipped_frames = 0
        self.is_standing_in = False
        self._has_begun = False
        self._video_zero: int | None = None  # RTP timestamp at time 0; None before the first picture of a camera
        self._video_last = 0  # RTP timestamp
        self._picture_time: int | None = None
        self._picture_arrived = 0.0
        self._audio_offset: float | None = None
        self._heard_offset = self._heard_seconds = 0.0  # the same by arrival, on average
        self._is_reported = False
        self._audio_last: int | None = None
        self._audio_next = 0
        self._audio_arrived = 0.0

    @property
    def has_begun(self) -> bool:
        return self._has_begun

    def begin(self) -> None:
        """Time 0 is now: the next sound, where no picture was before it."""
        self._has_begun = True

    def video(self, unit: AccessUnit, now: float) -> tuple[TimedUnit, list[TimedFrame]] | None:
        """The picture's place, and silence where sound is overdue. None for one that cannot be decoded here, and for
        pictures whose time does not grow."""
        if not unit.is_key and (self._video_zero is None or self.is_standing_in):
            return None
        if self._video_zero is None:
            self._video_zero = unit.timestamp - (self._sound_time(now) if self._has_begun else 0)
        least = 0 if self._picture_time is None else self._picture_time + 1
        if unit.timestamp - self._video_zero < least:
            if not self.is_standing_in:
                return None
            # It took longer on its way than the last one: the drawn pictures already stand in its place.
            self._video_zero = unit.timestamp - least
        self._has_begun, self.is_standing_in = True, False
        time = unit.timestamp - self._video_zero
        self._video_last, self._picture_time, self._picture_arrived = unit.timestamp, time, now
        overdue = time * AUDIO_CLOCK // VIDEO_CLOCK - AUDIO_LATE_SAMPLES
        return TimedUnit(time, unit, now), self._silence_until(overdue)

    def stand_in(self, unit: AccessUnit, now: float) -> TimedUnit | None:
        """The place of a drawn picture; None while the sound has not come so far."""
        if self._picture_time is None:
            time = 0
        else:
            time = self._picture_time + (STAND_IN_TICKS if self.is_standing_in else VIDEO_CLOCK // 30)
        behind = self._audio_next - time * AUDIO_CLOCK // VIDEO_CLOCK
        if behind <= 0:
            return None
        if behind > STAND_IN_BEHIND_SAMPLES_MAX:
            time = self._audio_next * VIDEO_CLOCK // AUDIO_CLOCK - 1
        self.is_standing_in, self._picture_time, self._picture_arrived = True, time, now
        return TimedUnit(time, unit, now)

    def _sound_time(self, now: float) -> int:
        """Where a picture that arrives now belongs by the sound alone (90 kHz)."""
        since = max(0.0, now - self._audio_arrived) if self._audio_next else 0.0
        return self._audio_next * VIDEO_CLOCK // AUDIO_CLOCK + round(since * VIDEO_CLOCK)

    def audio(self, frame: OpusFrame, now: float) -> list[TimedFrame]:
        """The frame in its place with any silence before it; nothing where it has no place."""
        if not self._has_begun:
            return []
        self._hear(frame, now)
        self._audio_last, self._audio_arrived = frame.timestamp, now
        if self._audio_offset is None:
            time = 0.0 if self._picture_time is None else self._arrival_place(now)
            self._audio_offset = time - frame.timestamp
        elif not self._is_kept():
            self._audio_offset = self._heard_offset
        wanted = round(frame.timestamp + self._audio_offset)
        if wanted - self._audio_next <= -TOLERANCE_SAMPLES:
            self.skipped_frames += 1
            return []
        found = self._silence_until(wanted)
        found.append(TimedFrame(self._audio_next, frame.data, frame.duration))
        self._audio_next += frame.duration
        return found

    def _arrival_place(self, now: float) -> float:
        """Where a sound that arrives now belongs beside the last picture (48 kHz)."""
        return ((self._picture_time or 0) / VIDEO_CLOCK + now - self._picture_arrived) * AUDIO_CLOCK

    def _hear(self, frame: OpusFrame, now: float) -> None:
        """Sounds that had to wait come all at once; together they count no more than one."""
        if self._picture_time is None:
            return
        passed = now - self._audio_arrived if self._heard_seconds else HEARD_SECONDS
        step = min(passed, frame.duration / AUDIO_CLOCK)
        self._heard_seconds = min(HEARD_SECONDS, self._heard_seconds + step)
        offset = self._arrival_place(now) - frame.timestamp
        self._heard_offset += (offset - self._heard_offset) * step / self._heard_seconds

    def _is_kept(self) -> bool:
        """Sound whose place is much earlier than that of its arrival would be lost; much later, heard too late."""
        if self._audio_offset is None or not self._heard_seconds:
            return True
        return is_believable((self._audio_offset - self._heard_offset) / AUDIO_CLOCK, KEPT_SECONDS)

    def _silence_until(self, time: int) -> list[TimedFrame]:
        missing = time - self._audio_next
        if missing > SILENCE_SAMPLES_MAX:
            self._audio_next = time
            return []
        found = []
        for _ in range(missing // FRAME_SAMPLES if missing > 0 else 0):
            found.append(TimedFrame(self._audio_next, SILENCE, FRAME_SAMPLES))
            self._audio_next += FRAME_SAMPLES
        self.silent_frames += len(found)
        return found

    def align(self, video: Clock, audio: Clock) -> None:
        """Takes the relation that a sender report of each track gives, where both can be from the same clock."""
        if self._video_zero is None or self._audio_last is None:
            return
        video_time = extend(video.timestamp, self._video_last) - self._video_zero
        apart_seconds = (audio.ntp - video.ntp) / (1 << 32)
        audio_time = (video_time / VIDEO_CLOCK + apart_seconds) * AUDIO_CLOCK
        offset = audio_time - extend(audio.timestamp, self._audio_last)
        if self._heard_seconds and not is_believable((offset - self._heard_offset) / AUDIO_CLOCK):
            return
        if self._audio_offset is None or not self._is_reported:
            self._audio_offset, self._is_reported = offset, True
            return
        change = offset - self._audio_offset
        self._audio_offset += change if abs(change) > SKEW_JUMP_SAMPLES else change * SKEW_SHARE

    def forget_reports(self) -> None:
        """They cannot be true: what they said before may have been on its way there already, so arrival decides."""
        if self._is_reported and self._heard_seconds:
            self._audio_offset, self._is_reported = self._heard_offset, False
