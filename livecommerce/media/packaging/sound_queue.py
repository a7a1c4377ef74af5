"""Sounds that wait for the pictures they are packed with. Pure."""

from __future__ import annotations

from itertools import pairwise

from livecommerce.media.packaging.fragmented_mp4 import AUDIO_TRACK, Run, Sample
from livecommerce.media.packaging.timeline import TimedFrame

# Silence for a host who was away a minute (65 s of 20 ms at most) comes at once, before the picture it belongs to.
FRAMES_WAITING_MAX = 4_000


class SoundQueue:
    """Frames in order of time, each given out once."""

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        self._frames: list[TimedFrame] = []

    def put(self, frame: TimedFrame) -> None:
        """Waits; where too much does, its older half is lost (the pictures it belongs to never came)."""
        if len(self._frames) >= FRAMES_WAITING_MAX:
            del self._frames[: FRAMES_WAITING_MAX // 2]
        self._frames.append(frame)

    def drop_before(self, time: int) -> None:
        """Forgets frames of which more than a half is earlier (48 kHz)."""
        self._frames = [frame for frame in self._frames if frame.time + frame.duration // 2 >= time]

    def take(self, end: int, shift: int = 0) -> Run:
        """The sound track of a fragment: all frames that begin before `end`, moved by `shift` (both 48 kHz).

        Each lasts until the next one begins, so that players see no hole; the last as long as it is.
        """
        frames = self._frames
        count = next((index for index, frame in enumerate(frames) if frame.time >= end), len(frames))
        taken, self._frames = frames[:count], frames[count:]
        samples = [Sample(frame.data, following.time - frame.time) for frame, following in pairwise(taken)]
        samples += [Sample(frame.data, frame.duration) for frame in taken[-1:]]
        return Run(AUDIO_TRACK, (taken[0].time if taken else 0) + shift, samples)
