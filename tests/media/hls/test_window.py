"""The LL-HLS window: playlists a player can follow, parts that decode, numbers that never go back."""

from __future__ import annotations

import asyncio
import io
import re
from itertools import pairwise

import av
import pytest

from livecommerce.media.hls.playlist import media_playlist
from livecommerce.media.hls.window import (
    OPUS,
    PART_TICKS,
    SEGMENTS_KEPT,
    SEGMENTS_LISTED,
    HlsStream,
)
from tests.media.broadcast import encode_pictures, encode_sound, interleaved
from tests.media.studio import Studio

FIRST = 1_700_000_000
PICTURES = encode_pictures(12.0, keys_at={0, 90, 180, 270})
SHOW = interleaved(PICTURES, encode_sound(12.0))


def on_air(frames=SHOW, studio=None, **options):
    studio = studio or Studio()
    window = HlsStream(studio.wall_ms, studio.asked.append, now_seconds=lambda: FIRST)
    studio.packager.sinks.append(window)
    studio.send(frames, **options)
    return window, studio


def parts(playlist):
    """(duration, uri, independent) of the parts listed."""
    return [
        (float(duration), uri, bool(independent))
        for duration, uri, independent in re.findall(
            r'#EXT-X-PART:DURATION=([\d.]+),URI="([^"]+)"(,INDEPENDENT=YES)?', playlist
        )
    ]


def segments(playlist):
    """(duration, uri) of the finished segments listed."""
    return [(float(duration), uri) for duration, uri in re.findall(r"#EXTINF:([\d.]+),\n(\S+)", playlist)]


def value(playlist, name):
    return re.search(rf"#{name}:(.*)", playlist)[1]


def decode(*pieces):
    kinds = {"video": [], "audio": []}
    with av.open(io.BytesIO(b"".join(pieces))) as container:
        for packet in container.demux():
            kinds[packet.stream.type] += [(frame.time, frame) for frame in packet.decode()]
    return kinds["video"], kinds["audio"]


def everything(window, variant=OPUS):
    """All the segments in the window behind their set-up."""
    return decode(
        window.initialization(variant, window.segments[0].initialization),
        *(window.segment(variant, segment.number) for segment in window.segments if segment.is_done),
    )


def test_segments_begin_with_key_pictures_and_parts_keep_to_their_target():
    window, _ = on_air()
    playlist = media_playlist(window, OPUS)
    assert [duration for duration, _ in segments(playlist)] == pytest.approx([3.0, 3.0, 3.0])
    for segment in window.segments:
        assert segment.parts[0].is_independent
        for part in segment.parts:
            assert part.ticks <= PART_TICKS
        for part in segment.parts[:-1]:
            assert part.ticks >= 0.85 * PART_TICKS


def test_every_picture_and_sound_of_the_window_decodes_at_its_time():
    window, _ = on_air()
    pictures, sounds = everything(window)
    assert [time for time, _ in pictures] == pytest.approx([index / 30 for index in range(270)])
    times = [time for time, _ in sounds]
    assert all(later - before == pytest.approx(0.02) for before, later in pairwise(times))
    assert times[0] < 0.03
    assert times[-1] > 8.9


def test_parts_of_a_segment_are_the_segment():
    window, _ = on_air()
    whole = window.segment(OPUS, FIRST)
    assert whole == b"".join(part.bodies[OPUS] for part in window.segments[0].parts)


def test_flash_and_beep_are_less_than_40_ms_apart():
    window, _ = on_air()
    pictures, sounds = everything(window)
    flashes = [time for time, frame in pictures if min(bytes(frame.planes[0])[:300]) > 0xE0]
    beeps = [time for time, frame in sounds if loud(frame)]
    assert len(flashes) == 9
    for flash in flashes:
        assert min(abs(beep - flash) for beep in beeps) < 0.04


def loud(frame):
    is_float = "flt" in frame.format.name
    wave = memoryview(bytes(frame.planes[0])).cast("f" if is_float else "h")
    return max(abs(sample) for sample in wave) > (0.1 if is_float else 3_000)


def test_a_key_picture_is_asked_for_before_the_segment_is_full():
    _, studio = on_air(interleaved(encode_pictures(7.0, keys_at={0, 45})))
    assert 1.2 < studio.asked[0] < 1.5  # the first is short, so that players may begin
    assert 1.5 + 2.7 < next(second for second in studio.asked if second > 1.6) < 1.5 + 3.0


def test_a_deaf_host_gets_segments_that_keep_to_the_target_duration():
    window, _ = on_air(interleaved(encode_pictures(11.0, keys_at={0}), encode_sound(11.0)))
    playlist = media_playlist(window, OPUS)
    assert all(round(duration) <= 4 for duration, _ in segments(playlist))
    assert not window.segments[1].parts[0].is_independent
    assert len(everything(window)[0]) > 200


def test_another_picture_size_is_a_discontinuity_with_a_set_up_of_its_own():
    larger = encode_pictures(4.0, keys_at={0}, size=(640, 360), start=12.0)
    window, _ = on_air([*SHOW, *interleaved(larger, encode_sound(4.0, start=12.0))])
    playlist = media_playlist(window, OPUS)
    assert playlist.count("#EXT-X-DISCONTINUITY\n") == 1
    assert playlist.count("#EXT-X-MAP:") == 2
    after = playlist.split("#EXT-X-DISCONTINUITY\n")[1]
    assert after.startswith(f'#EXT-X-MAP:URI="init-{FIRST}-1.mp4"')
    new = window.segments[-1]
    pictures, _ = decode(window.initialization(OPUS, new.initialization), *(part.bodies[OPUS] for part in new.parts))
    assert {(frame.width, frame.height) for _, frame in pictures} == {(640, 360)}
    assert pictures[0][0] == pytest.approx(12.0)


def test_a_host_away_leaves_a_discontinuity_and_the_right_time_of_day():
    later = interleaved(encode_pictures(4.0, keys_at={0}, start=20.0), encode_sound(4.0, start=20.0))
    window, _ = on_air([*SHOW, *later])
    after = media_playlist(window, OPUS).split("#EXT-X-DISCONTINUITY\n")[1]
    assert "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:40.0" in after
    new = window.segments[-1]
    pictures, sounds = decode(window.initialization(OPUS, new.initialization), *(p.bodies[OPUS] for p in new.parts))
    assert abs(pictures[0][0] - sounds[0][0]) < 0.06


def test_lost_pictures_are_a_longer_picture_and_nothing_damaged():
    window, _ = on_air(lose=lambda packet: packet.number in (70_150, 70_151))
    pictures, _ = everything(window)
    assert 150 < len(pictures) < 270
    assert media_playlist(window, OPUS).count("#EXT-X-DISCONTINUITY\n") == 1  # no picture for more than a second
    assert all(not frame.is_corrupt for _, frame in pictures)


def test_the_window_is_bounded_and_its_numbers_go_on():
    long = encode_pictures(60.0, keys_at=set(range(0, 1_800, 60)), size=(160, 90))
    window, _ = on_air(interleaved(long, encode_sound(60.0)))
    playlist = media_playlist(window, OPUS)
    assert len(window.segments) <= SEGMENTS_KEPT + 1
    assert len(segments(playlist)) == SEGMENTS_LISTED
    first = int(value(playlist, "EXT-X-MEDIA-SEQUENCE"))
    assert [uri for _, uri in segments(playlist)] == [f"{first + index}.m4s" for index in range(SEGMENTS_LISTED)]
    assert window.segment(OPUS, first) is not None
    assert window.segment(OPUS, FIRST) is None


def test_many_bytes_leave_the_window_early(monkeypatch):
    monkeypatch.setattr("livecommerce.media.hls.window.BYTES_MAX", 200_000)
    window, _ = on_air(interleaved(encode_pictures(30.0, keys_at=set(range(0, 900, 60))), encode_sound(30.0)))
    assert len(window.segments) <= 5


def test_a_restarted_process_numbers_above_what_it_had_used():
    window, _ = on_air()
    used = window.segments[-1].number
    later = HlsStream(lambda ticks: 0, lambda now: None, now_seconds=lambda: FIRST + 12)
    assert later.last_number(OPUS) > used


async def test_a_reload_waits_for_the_part_it_asks_for():
    window, studio = on_air(SHOW[:400])
    last = window.segments[-1]
    part = len(last.parts)
    waiting = asyncio.create_task(window.wait_for(OPUS, last.number, part))
    hinted = asyncio.create_task(window.part(OPUS, last.number, part))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    assert not hinted.done()
    studio.send(SHOW[400:440])
    assert await waiting
    assert f"{last.number}.{part}.m4s" in [uri for _, uri, _ in parts(media_playlist(window, OPUS))]
    assert await hinted == window.segments[-1].parts[part].bodies[OPUS]


async def test_waiting_for_a_part_beyond_the_segment_ends_with_the_next_segment():
    window, studio = on_air(SHOW[:230])
    number = window.segments[-1].number
    waiting = asyncio.create_task(window.wait_for(OPUS, number, 50))
    assert await window.part(OPUS, number, 50) is None  # nobody hinted at that: it is not waited for
    assert await window.part(OPUS, number + 1, 1) is None
    next_one = asyncio.create_task(window.part(OPUS, number + 1, 0))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    studio.send(SHOW[230:300])
    assert await asyncio.wait_for(waiting, 1)
    assert await asyncio.wait_for(next_one, 1) == window.segments[-1].parts[0].bodies[OPUS]


async def test_a_stream_that_stands_still_does_not_hold_players_for_ever(monkeypatch):
    monkeypatch.setattr("livecommerce.media.hls.window.BLOCK_SECONDS", 0.05)
    window, _ = on_air(SHOW[:100])
    assert not await window.wait_for(OPUS, window.segments[-1].number, 50)
    monkeypatch.setattr("livecommerce.media.hls.window.WAITERS_MAX", 0)
    assert not await window.wait_for(OPUS, window.segments[-1].number, 50)


async def test_the_end_of_the_stream_lets_everyone_go():
    window, _ = on_air(SHOW[:100])
    waiting = asyncio.create_task(window.wait_for(OPUS, window.segments[-1].number + 1, 3))
    await asyncio.sleep(0.01)
    window.end()
    assert await asyncio.wait_for(waiting, 1)
