"""An encoder with one key picture in a show: who begins later gets drawn pictures and sound, until another comes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from livecommerce.media.hls.window import OPUS, HlsStream
from livecommerce.media.ingest.source import PICTURE, SOUND
from livecommerce.media.outputs import ShowOutput
from livecommerce.media.packaging.curtain import Curtain
from livecommerce.media.packaging.stand_in import is_stand_in
from livecommerce.media.wire import rtp
from tests.media.broadcast import CLOCKS, Frame, encode_pictures, encode_sound, interleaved
from tests.media.crowd import Wire, make_stream
from tests.media.packaging.test_packager import Shelf
from tests.media.studio import Studio

SECONDS, LATE, CLOSED, KEY = 16.0, 2.0, 4.0, 12
SHOW = interleaved(encode_pictures(SECONDS, keys_at={0, KEY * 30}), encode_sound(SECONDS))
KINDS = {"video": PICTURE, "audio": SOUND}


def test_drawn_pictures_stand_for_what_cannot_be_entered_and_the_camera_comes_back() -> None:
    studio, shelf = Studio(), Shelf()
    studio.send(frame for frame in SHOW if frame.seconds < LATE)
    studio.packager.sinks.append(Curtain(shelf, lambda now: now > CLOSED))
    studio.send(frame for frame in SHOW if frame.seconds >= LATE)
    studio.packager.finish()
    before = [one for one in shelf.pictures if one.time <= CLOSED * 90_000]
    assert before, "what nobody can enter yet asks for a key picture"
    assert not any(one.is_key for one in before)
    drawn = [one for one in shelf.pictures if is_stand_in(one.parameters)]
    assert drawn[0].is_key
    assert [one.time / 90_000 for one in (drawn[0], drawn[-1])] == pytest.approx([CLOSED, KEY - 0.15], abs=0.2)
    assert len(drawn) == pytest.approx((KEY - CLOSED) / 0.3, abs=1)
    filmed = shelf.pictures[len(before) + len(drawn) :]
    assert filmed[0].is_key
    assert len(filmed) == (SECONDS - KEY) * 30
    assert len(shelf.sounds) == pytest.approx((SECONDS - LATE) * 50, abs=2)


def test_hls_plays_them() -> None:
    studio = Studio()
    window = HlsStream(studio.wall_ms, studio.packager.want_keyframe, lambda: 1_700_000_000.0)
    studio.send(frame for frame in SHOW if frame.seconds < LATE)
    studio.packager.sinks.append(Curtain(window, lambda now: now > CLOSED))
    studio.send(frame for frame in SHOW if frame.seconds >= LATE)
    window.end()
    listed = window.listed(OPUS)
    assert sum(segment.ticks for segment in listed) / 90_000 == pytest.approx(SECONDS - CLOSED, abs=0.1)
    assert [segment.is_discontinuous for segment in listed].count(True) == 1
    assert len({segment.initialization for segment in listed}) == 2


@pytest.fixture
def packets() -> Iterator[tuple[Frame, list[rtp.RtpPacket]]]:
    """A show of one key picture, by frames."""
    sequences = {"video": 500, "audio": 900}
    found = []
    for frame in SHOW:
        if frame.seconds >= KEY:
            break
        made = []
        for index, payload in enumerate(frame.payloads):
            marker = frame.kind == "audio" or index == len(frame.payloads) - 1
            timestamp = round((frame.seconds + 9) * CLOCKS[frame.kind])
            made.append(rtp.RtpPacket(102, marker, sequences[frame.kind], timestamp, 9, payload, 0, b""))
            sequences[frame.kind] += 1
        found.append((frame, made))
    return iter(found)


@pytest.mark.parametrize("is_recorded", [True, False])
async def test_a_show_that_nobody_can_enter_plays_by_its_sound(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    packets: Iterator[tuple[Frame, list[rtp.RtpPacket]]],
    is_recorded: bool,
) -> None:
    stream, _ = make_stream(Wire(), ())
    output: ShowOutput | None = None
    began = time.monotonic()
    for frame, made in packets:
        for packet in made:
            stream.take(KINDS[frame.kind], packet, began + frame.seconds)
        if output is None and (is_recorded or frame.seconds > LATE):
            output = ShowOutput(stream)
            if is_recorded:
                output.record(tmp_path)
        if output is not None and output.hls is None and frame.seconds > LATE:
            monkeypatch.setattr(stream, "is_closed", lambda now: True)
            output.play(began)
    assert output is not None
    window = output.hls
    assert window is not None
    recording = output.stream_ended()
    listed = window.listed(OPUS)
    assert sum(segment.ticks for segment in listed) / 90_000 == pytest.approx(KEY - LATE, abs=0.5)
    assert is_stand_in(window._initializations[listed[0].initialization])
    assert (recording is not None) is is_recorded
    if recording is not None:
        recording.writer.close()
        assert not any(is_stand_in(sets) for sets in recording._descriptions), "it has seen the key picture"
