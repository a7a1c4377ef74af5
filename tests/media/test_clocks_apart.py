"""A host whose reports of picture and sound come from two clocks: the show is whole, viewers get the times of arrival,
and the host hears of it."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from livecommerce.media.ingest.source import PICTURE, SOUND
from livecommerce.media.packaging.timeline import SILENCE
from livecommerce.media.recording import files
from livecommerce.media.wire import rtp
from tests.media.broadcast import CLOCKS
from tests.media.test_clock_jumps import BOTH, KINDS, SECONDS, SHOW, Studio

EPOCH = 3_900_000_000


class Reporting(Studio):
    """Reports each second, those of the picture `apart_seconds` ahead from a moment on."""

    def play_apart(self, apart_seconds: float, since: float, drift: float = 0.0) -> None:
        sequences, told = {"video": 500, "audio": 900}, 0
        for frame in SHOW:
            now = self.began + frame.seconds
            for index, payload in enumerate(frame.payloads):
                marker = frame.kind == "audio" or index == len(frame.payloads) - 1
                header = (102, marker, sequences[frame.kind], self.timestamp(frame.kind, frame.seconds), 9)
                self.stream.take(KINDS[frame.kind], rtp.RtpPacket(*header, payload, 0, b""), now)
                sequences[frame.kind] += 1
            self.output.tick(now)
            if frame.seconds >= told + 0.5:
                told += 1
                for kind in BOTH:
                    ahead = apart_seconds + drift * frame.seconds
                    ahead = ahead if kind == "video" and frame.seconds >= since else 0.0
                    ntp = round((EPOCH + frame.seconds + ahead) * (1 << 32))
                    self.stream.note_report(KINDS[kind], ntp, self.timestamp(kind, frame.seconds), now)
                self.stream._window = (now - 1.0, 0)
                self.stream.second(now)

    @staticmethod
    def timestamp(kind: str, seconds: float) -> int:
        return round((seconds + 20_000) * CLOCKS[kind]) & 0xFFFFFFFF

    def told_apart(self) -> float:
        """Seconds between the moments that viewers' reports give to sound and picture of one arrival."""
        now = self.began + SECONDS
        moments = []
        for track in (self.stream.layers[0].track, self.stream.tracks["audio"]):
            clocks = track.clocks(now, 1 << 60)
            arriving = track.timestamp_at(now)
            assert clocks is not None
            assert arriving is not None
            moments.append(clocks[0] / (1 << 32) + (arriving - clocks[1]) / track.clock)
        return moments[1] - moments[0]


@pytest.mark.parametrize("since", [0.0, 3.0], ids=["from the start", "set anew"])
@pytest.mark.parametrize("apart_seconds", [0.6, 5.0, 3_600.0, -4.0, -3_600.0])
async def test_no_sound_is_lost_and_the_host_is_told(tmp_path: Path, apart_seconds: float, since: float) -> None:
    studio = Reporting(tmp_path)
    studio.play_apart(apart_seconds, since)
    sounds = [one for one in studio.shelf.sounds if one.data != SILENCE]
    assert len(sounds) > SECONDS * 50 * 0.97
    assert studio.stream.hint == "clocks_apart"
    assert studio.told_apart() == pytest.approx(0.0, abs=0.05)
    recording = studio.output.stream_ended()
    assert recording is not None
    recording.writer.close()
    manifest = files.read_manifest(tmp_path)
    assert manifest is not None
    with av.open(str(tmp_path / manifest.takes[0].file)) as container:
        sizes = [packet.size for packet in container.demux(audio=0)]
    loud = sum(len(frame.payloads[0]) > len(SILENCE) for frame in SHOW if frame.kind == "audio")
    assert loud > 100
    assert sum(size > len(SILENCE) for size in sizes) > loud * 0.9


@pytest.mark.parametrize("drift", [1.0, -3.0])
async def test_what_led_to_what_cannot_be_is_forgotten(tmp_path: Path, drift: float) -> None:
    """Reports of one track run at another rate than its packets, as GStreamer's do."""
    studio = Reporting(tmp_path)
    studio.play_apart(0.0, 0.0, drift)
    assert studio.stream.hint == "clocks_apart"
    places = {one.data: one.time / 48_000 for one in studio.shelf.sounds if len(one.data) > len(SILENCE)}
    made = [(frame.payloads[0], frame.seconds) for frame in SHOW if frame.kind == "audio" and frame.seconds > 7]
    apart = [places[data] - seconds for data, seconds in made if data in places]
    assert len(apart) > 5
    assert max(map(abs, apart)) < 0.08


@pytest.mark.parametrize("apart_seconds", [0.0, 0.3, -2.0])
async def test_what_can_be_is_told_as_it_is(tmp_path: Path, apart_seconds: float) -> None:
    studio = Reporting(tmp_path)
    studio.play_apart(apart_seconds, 0.0)
    assert studio.stream.hint != "clocks_apart"
    assert studio.told_apart() == pytest.approx(-apart_seconds, abs=0.05)


async def test_another_host_is_believed_anew(tmp_path: Path) -> None:
    studio = Reporting(tmp_path)
    studio.play_apart(5.0, 0.0)
    assert studio.stream.host is not None
    studio.stream.take_host(studio.stream.host)
    for source in (PICTURE, SOUND):
        studio.stream.begin_source(source)
    studio.stream.second(studio.began + SECONDS + 1)
    assert studio.stream.hint != "clocks_apart"
    assert not studio.stream.tracks["audio"].is_doubted
