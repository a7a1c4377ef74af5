"""Sound alone, and a camera that comes and goes: what is packed always has a picture, and no sound is lost."""

from __future__ import annotations

import io
from itertools import pairwise

import av
import pytest

from livecommerce.media.hls.window import OPUS, PART_TICKS, TARGET_SECONDS, HlsStream
from livecommerce.media.packaging.stand_in import STAND_IN_TICKS, StandIn, is_stand_in, stand_in_units
from livecommerce.media.packaging.timeline import TimedFrame, TimedUnit
from livecommerce.media.wire import h264
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK
from tests.media.payload_files import read_payloads
from tests.media.studio import Studio

# As `Stream` tells it: a camera that is silent for so long is none.
GIVEN_UP_SECONDS = 3.0


class Shelf:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.pictures: list[TimedUnit] = []
        self.sounds: list[TimedFrame] = []

    def video(self, picture: TimedUnit) -> None:
        self.pictures.append(picture)

    def audio(self, frame: TimedFrame) -> None:
        self.sounds.append(frame)

    def tick(self, now: float) -> None: ...


def show(name: str, *sinks: object, studio: Studio | None = None) -> Studio:
    """A file's packets at their own speed, with what a stream would say of its camera."""
    studio = studio or Studio()
    studio.packager.sinks += sinks
    packets = read_payloads(name)
    seen_at = 0.0 if any(one.kind == "video" for one in packets) else float("-inf")
    for one in packets:
        seen_at = one.at if one.kind == "video" else seen_at
        studio.has_camera = one.at - seen_at <= GIVEN_UP_SECONDS
        studio.feed([one])
    return studio


def sizes(data: bytes) -> list[tuple[int, int]]:
    with av.open(io.BytesIO(data), format="h264") as container:
        return [(frame.width, frame.height) for frame in container.decode(video=0)]


def test_the_drawing_decodes_from_each_of_its_key_pictures():
    units = stand_in_units()
    keys = [index for index, unit in enumerate(units) if unit.is_key]
    assert keys == [0, 10]
    assert units[0].units != units[10].units, "two key pictures in a row are told apart by their number"
    drawn = h264.parse_sequence_parameters(units[0].parameters.sequence[0])
    assert drawn is not None
    assert drawn.is_baseline
    for key in keys:
        pieces = (*units[0].parameters.sequence, *units[0].parameters.picture)
        stream = [*pieces, *(unit.units[0] for unit in units[key : key + 10])]
        assert sizes(b"".join(b"\0\0\0\1" + piece for piece in stream)) == [(drawn.width, drawn.height)] * 10


def test_a_key_picture_is_next_where_one_is_wanted():
    drawing, units = StandIn(), stand_in_units()
    assert drawing.next is units[0]
    drawing.restart()
    assert drawing.next is units[0], "nothing was shown yet"
    drawing.advance()
    drawing.restart()
    assert drawing.next is units[10]
    drawing.advance()
    drawing.restart()
    assert drawing.next is units[0]


def test_sound_alone_has_drawn_pictures_beside_it_from_its_first_frame_on():
    shelf = Shelf()
    studio = show("sound_alone", shelf)
    assert studio.packager.wall_ms is not None
    assert [picture.time for picture in shelf.pictures] == [index * STAND_IN_TICKS for index in range(17)]
    assert shelf.pictures[0].is_key
    assert all(is_stand_in(picture.parameters) for picture in shelf.pictures)
    assert shelf.sounds[0].time == 0
    assert len(shelf.sounds) == 250
    assert all(after.time == before.time + before.duration for before, after in pairwise(shelf.sounds))


def test_a_camera_that_stops_and_comes_back_loses_no_sound_and_no_picture():
    shelf = Shelf()
    studio = show("camera_away", shelf)
    drawn = [picture for picture in shelf.pictures if is_stand_in(picture.parameters)]
    filmed = [picture.time / VIDEO_CLOCK for picture in shelf.pictures if not is_stand_in(picture.parameters)]
    assert filmed == pytest.approx([index / 15 for index in (*range(30), *range(120, 165))])
    assert drawn[0].is_key
    assert drawn[0].time / VIDEO_CLOCK == pytest.approx(29 / 15 + 1 / 30), "it follows the camera's last picture"
    assert drawn[-1].time / VIDEO_CLOCK == pytest.approx(8.0, abs=0.3)
    assert all(after.time - before.time <= STAND_IN_TICKS for before, after in pairwise(shelf.pictures))
    assert len(shelf.sounds) == 549, "all but the one before the first picture"
    assert studio.packager.timeline.silent_frames == 0
    assert studio.packager.timeline.skipped_frames == 0


def test_a_camera_comes_back_by_a_key_picture_which_is_asked_for():
    shelf, studio = Shelf(), Studio()
    studio.packager.sinks.append(shelf)
    packets = read_payloads("camera_away")
    studio.has_camera = False
    studio.feed(one for one in packets if one.kind == "audio" and one.at < 8.2)
    studio.has_camera = True
    early = [one for one in packets if one.at >= 8.2]
    studio.feed(early)
    filmed = [picture for picture in shelf.pictures if not is_stand_in(picture.parameters)]
    assert filmed[0].is_key
    assert filmed[0].time / VIDEO_CLOCK == pytest.approx(9.0, abs=0.1)
    assert studio.asked
    assert all(after.time > before.time for before, after in pairwise(shelf.pictures))


def test_a_picture_that_took_longer_on_its_way_follows_the_drawn_ones():
    shelf, studio = Shelf(), Studio()
    studio.packager.sinks.append(shelf)
    for one in read_payloads("camera_away"):
        studio.has_camera = one.at < 2.0 or one.at >= 8.0
        is_late = one.kind == "video" and one.at >= 8.0
        studio.feed([one._replace(timestamp=one.timestamp - 45_000 & 0xFFFFFFFF) if is_late else one])
    filmed = [picture for picture in shelf.pictures if not is_stand_in(picture.parameters)]
    assert len(filmed) == 75, "half a second late, and all are there"
    assert all(after.time > before.time for before, after in pairwise(shelf.pictures))


def test_sound_that_was_away_itself_leaves_a_hole_and_not_a_burst_of_drawings():
    shelf, studio = Shelf(), Studio()
    studio.packager.sinks.append(shelf)
    studio.has_camera = False
    packets = read_payloads("sound_alone")
    studio.feed(packets[:100])
    later = 40 * AUDIO_CLOCK
    studio.feed(one._replace(at=one.at + 40, timestamp=one.timestamp + later & 0xFFFFFFFF) for one in packets[100:])
    assert len(shelf.pictures) < 20
    assert shelf.pictures[-1].time / VIDEO_CLOCK == pytest.approx(45.0, abs=0.4)


@pytest.mark.parametrize(("name", "seconds"), [("sound_alone", 4.5), ("camera_away", 10.5)])
def test_hls_has_segments_with_all_of_the_sound(name, seconds):
    studio = Studio()
    window = HlsStream(studio.wall_ms, lambda now: None, now_seconds=lambda: 1_700_000_000)
    show(name, window, studio=studio)
    window.end()
    done = [segment for segment in window.segments if segment.is_done]
    assert all(segment.ticks <= TARGET_SECONDS * VIDEO_CLOCK for segment in done)
    assert all(part.ticks <= PART_TICKS for segment in done for part in segment.parts)
    assert sum(segment.ticks for segment in done) / VIDEO_CLOCK == pytest.approx(seconds, abs=0.6)
    times = []
    for segment in done:
        data = window.initialization(OPUS, segment.initialization) + window.segment(OPUS, segment.number)
        with av.open(io.BytesIO(data)) as container:
            times += [frame.time for frame in container.decode(audio=0)]
    assert times[-1] - times[0] > seconds - 0.5
    assert all(after - before == pytest.approx(0.02) for before, after in pairwise(times)), "not one frame is missing"
