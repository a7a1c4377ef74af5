"""An encoder's clock that is set anew is told from lines that are late, from loss, B-frames and drift."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator

import pytest

from livecommerce.media.tracks.track import CanonicalPacket, Track
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK, signed
from tests.media.packets import packet

CLOCKS = {"video": (VIDEO_CLOCK, 3_000), "audio": (AUDIO_CLOCK, 960)}


def frames(kind: str, seconds: float, *, start: int = 0, at: float = 100.0) -> Iterator[tuple[int, float]]:
    """(timestamp, moment of arrival) of each frame on an undisturbed line."""
    clock, step = CLOCKS[kind]
    for index in range(round(seconds * clock / step)):
        yield start + index * step & 0xFFFFFFFF, at + index * step / clock


def fed(kind: str, rows: list[tuple[int, float]]) -> tuple[Track, list[CanonicalPacket]]:
    track, found = Track(kind, CLOCKS[kind][0]), []
    for sequence, (timestamp, now) in enumerate(rows):
        taken = track.take(packet(sequence, timestamp=timestamp), now)
        assert taken is not None, "nothing is lost"
        found.append(taken)
        track.flush(now)
    return track, found


@pytest.mark.parametrize("jump_seconds", [-15, -100, 7_200, 10, -10, 30_000], ids=lambda jump: f"{jump} s")
@pytest.mark.parametrize("kind", CLOCKS)
def test_after_a_jump_it_goes_on_by_arrival(kind: str, jump_seconds: int) -> None:
    clock, step = CLOCKS[kind]
    before = list(frames(kind, 3.0, start=0x20000000))
    after = list(frames(kind, 3.0, start=before[-1][0] + step + jump_seconds * clock, at=103.0))
    track, found = fed(kind, before + after)
    steps = [signed(later.timestamp - each.timestamp) for each, later in itertools.pairwise(found)]
    assert all(abs(each - step) <= 1 for each in steps)
    assert [each.number for each in found if each.is_after_jump] == [found[len(before)].number]
    assert track.jumped_at == after[0][1]


def test_a_frame_whose_packets_come_in_disorder_after_a_jump_has_one_time() -> None:
    track = Track("video", VIDEO_CLOCK)
    track.take(packet(1, timestamp=900_000), 1.0)
    taken = [
        track.take(packet(number, timestamp=timestamp), 1.04) for number, timestamp in ((5, 77), (4, 77), (3, 903_000))
    ]
    fifth, fourth, third = (each.timestamp for each in taken if each is not None)
    assert fifth == fourth
    assert signed(third - 903_000) == 0, "one from before the jump has its own"
    late = track.take(packet(2, timestamp=900_000), 1.05)
    assert late is not None
    assert late.timestamp == 900_000


def test_a_clock_that_returns_needs_no_second_jump() -> None:
    rows = [*frames("video", 2.0), *frames("video", 1.0, start=5_000_000, at=102.0)]
    rows += [(timestamp + 270_000, now + 3.0) for timestamp, now in frames("video", 2.0)]
    _, found = fed("video", rows)
    assert sum(each.is_after_jump for each in found) == 1
    assert all(0 < signed(after.timestamp - each.timestamp) < 9_000 for each, after in itertools.pairwise(found))


def test_the_report_after_a_jump_is_read_by_the_new_clock() -> None:
    rows = [*frames("audio", 1.0, start=10_000), *frames("audio", 1.0, start=900_000_000, at=101.0)]
    track, found = fed("audio", rows)
    track.note_report(7 << 32, rows[-1][0], 102.0)
    assert track.report == (7 << 32, found[-1].timestamp)


def late_line() -> list[tuple[int, float]]:
    """The line stands still for six seconds; then all that waited comes at once, and some of it is lost."""
    rows = list(frames("video", 20.0))
    return [(timestamp, max(now, 111.0) if now > 105.0 else now) for timestamp, now in rows if not 107 < now < 110]


def jittered() -> list[tuple[int, float]]:
    chance, now, rows = random.Random(3), 0.0, []
    for timestamp, due in frames("video", 20.0):
        now = max(now, due + chance.uniform(0.0, 0.5))
        rows.append((timestamp, now))
    return rows


def reordered() -> list[tuple[int, float]]:
    """B-frames: every second picture is shown before the one that was sent before it."""
    rows = list(frames("video", 10.0))
    shown = [index + 8 if index % 3 == 0 else index - 4 for index in range(len(rows))]
    return [(timestamp_index * 3_000, now) for timestamp_index, (_, now) in zip(shown, rows, strict=True)]


@pytest.mark.parametrize(
    "rows",
    [
        late_line(),
        jittered(),
        reordered(),
        [(timestamp, 100.0 + (now - 100.0) * 1.01) for timestamp, now in frames("video", 600.0)],
        [(timestamp, 100.0 + (now - 100.0) / 1.01) for timestamp, now in frames("video", 600.0)],
        [row for row in frames("audio", 60.0) if not 110 < row[1] < 140],
        [(timestamp, now + (30 if timestamp >= 450_000 else 0)) for timestamp, now in frames("video", 60.0)],
        list(frames("video", 10.0, start=0xFFFFFFFF - 200_000)),
    ],
    ids=[
        "a line that stood still",
        "jitter",
        "B-frames",
        "slow",
        "fast",
        "silence",
        "a clock that stood still",
        "wrap",
    ],
)
def test_what_is_no_jump(rows: list[tuple[int, float]]) -> None:
    track, found = fed("audio" if len(rows) > 1_000 and rows[1][0] == 960 else "video", rows)
    assert not any(each.is_after_jump for each in found)
    assert [each.timestamp for each in found] == [timestamp & 0xFFFFFFFF for timestamp, _ in rows]
    assert track.jumped_at == float("-inf")
