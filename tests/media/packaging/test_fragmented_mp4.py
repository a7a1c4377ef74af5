"""What the writer writes, FFmpeg's demuxer and decoders read back: every picture, every sound, every time."""

from __future__ import annotations

import contextlib
import io
from fractions import Fraction

import av
import pytest

from livecommerce.media.packaging.access_units import AccessUnitAssembler, OpusAssembler
from livecommerce.media.packaging.fragmented_mp4 import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    OpusSetup,
    Reference,
    Run,
    Sample,
    avc_configuration,
    codec_name,
    fragment,
    initialization,
    segment_index,
)
from livecommerce.media.wire.h264 import parse_sequence_parameters
from tests.media.broadcast import Frame, Sender, encode_pictures, encode_sound, payloads_of, split_annex_b


def units_of(pictures):
    sender, assembler = Sender(), AccessUnitAssembler()
    return [unit for one in pictures for packet in sender.packets(one) for unit in assembler.push(packet, 0.0)]


def frames_of(sounds):
    sender, assembler = Sender(), OpusAssembler()
    return [frame for one in sounds for packet in sender.packets(one) for frame in assembler.push(packet, 0.0)]


UNITS = units_of(encode_pictures(3.0, keys_at={0, 30, 60}))
SOUNDS = frames_of(encode_sound(3.0))


def movie(pictures_per_fragment=15, description=lambda index: 1, descriptions=(UNITS[0].parameters,)):
    parts = [initialization(descriptions, OpusSetup())]
    for number, start in enumerate(range(0, len(UNITS), pictures_per_fragment)):
        video = [Sample(unit.sample(), 3_000, unit.is_key) for unit in UNITS[start : start + pictures_per_fragment]]
        first, last = start * 1_600 // 960, (start + pictures_per_fragment) * 1_600 // 960
        audio = [Sample(frame.data, frame.duration) for frame in SOUNDS[first:last]]
        runs = (Run(VIDEO_TRACK, start * 3_000, video, description(start)), Run(AUDIO_TRACK, first * 960, audio))
        parts.append(fragment(number + 1, runs))
    return parts


def decoded(data, *, is_cut=False):
    """(times of decoded pictures, times of decoded sounds) in seconds. A sample that the cut went through is skipped,
    as players do."""
    with av.open(io.BytesIO(data)) as container:
        kinds = {"video": [], "audio": []}
        for packet in container.demux():
            with contextlib.suppress(av.InvalidDataError if is_cut else ()):
                kinds[packet.stream.type] += [frame.time for frame in packet.decode()]
    return kinds["video"], kinds["audio"]


def boxes(data):
    """(kind, contents) of the boxes in order; fails where lengths do not add up."""
    position = 0
    while position < len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        assert 8 <= size <= len(data) - position
        yield data[position + 4 : position + 8].decode(), data[position + 8 : position + size]
        position += size


@pytest.mark.parametrize("pictures_per_fragment", [1, 10, 15, 90])
def test_all_pictures_and_sounds_come_back_at_their_times(pictures_per_fragment):
    pictures, sounds = decoded(b"".join(movie(pictures_per_fragment)))
    assert pictures == pytest.approx([index / 30 for index in range(90)])
    assert sounds == pytest.approx([index * 0.02 for index in range(len(sounds))])
    assert len(sounds) >= 148


def test_the_set_up_says_what_is_inside():
    with av.open(io.BytesIO(b"".join(movie()))) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec.name, video.width, video.height) == ("h264", 320, 180)
        assert (audio.codec.name, audio.sample_rate, audio.layout.name) == ("opus", 48_000, "stereo")
        assert bytes(video.codec_context.extradata) == avc_configuration(UNITS[0].parameters)


def test_boxes_nest_and_add_up():
    start, *fragments = movie()
    assert [kind for kind, _ in boxes(start)] == ["ftyp", "moov"]
    moov = dict(boxes(start))["moov"]
    assert [kind for kind, _ in boxes(moov)] == ["mvhd", "trak", "trak", "mvex"]
    for one in fragments:
        (first, moof), (second, mdat) = boxes(one)
        assert (first, second) == ("moof", "mdat")
        assert [kind for kind, _ in boxes(moof)] == ["mfhd", "traf", "traf"]
        assert len(mdat) > 0


def test_a_file_cut_within_its_media_plays_its_whole_fragments():
    start, *fragments = movie(pictures_per_fragment=10)
    for count in range(1, len(fragments)):
        cut = fragments[count]
        whole = start + b"".join(fragments[:count])
        for length in range(len(cut) * 2 // 10, len(cut), 2_777):
            pictures, _ = decoded(whole + cut[:length], is_cut=True)
            assert len(pictures) >= count * 10


def test_a_fragment_without_its_first_eight_bytes_is_not_there():
    *whole, last = movie(pictures_per_fragment=10)
    for length in range(8, len(last), 997):
        pictures, _ = decoded(b"".join(whole) + bytes(8) + last[8:length])
        assert len(pictures) == 80


def test_a_fragment_without_sound_is_a_fragment():
    run = Run(VIDEO_TRACK, 0, [Sample(UNITS[0].sample(), 3_000)])
    data = initialization([UNITS[0].parameters], OpusSetup()) + fragment(1, (run, Run(AUDIO_TRACK, 0, [])))
    assert len(decoded(data)[0]) == 1


def test_another_picture_size_is_another_description_of_the_same_file():
    large = units_of(encode_pictures(1.0, keys_at={0}, size=(640, 360)))
    data = initialization([UNITS[0].parameters, large[0].parameters], OpusSetup())
    small = [Sample(unit.sample(with_parameters=True), 3_000, unit.is_key) for unit in UNITS[:30]]
    data += fragment(1, [Run(VIDEO_TRACK, 0, small, 1)])
    samples = [Sample(unit.sample(with_parameters=True), 3_000, unit.is_key) for unit in large]
    data += fragment(2, [Run(VIDEO_TRACK, 90_000, samples, 2)])
    with av.open(io.BytesIO(data)) as container:
        sizes = [(frame.width, frame.height) for frame in container.decode(video=0)]
    assert sizes == [(320, 180)] * 30 + [(640, 360)] * 30


def test_an_index_lets_a_player_jump_without_reading_what_lies_before():
    start, *fragments = movie(pictures_per_fragment=30)
    start = initialization([UNITS[0].parameters], OpusSetup(), duration_ms=3_000)
    references = [Reference(len(one), 90_000) for one in fragments]
    file = io.BytesIO(start + segment_index(0, references) + b"".join(fragments))
    with av.open(file) as container:
        assert container.duration == pytest.approx(3_000_000, abs=50_000)
        container.seek(2_500_000)
        frame = next(container.decode(video=0))
    assert frame.time == pytest.approx(2.0)


def test_an_index_cannot_hold_more_than_its_16_bits():
    with pytest.raises(ValueError):
        segment_index(0, [Reference(1, 1)] * 65_536)


def test_the_codec_name_is_what_players_ask_for():
    assert codec_name(UNITS[0].parameters).startswith("avc1.42c0")


@pytest.mark.parametrize("profile", ["main", "high"])
def test_higher_profiles_have_their_configuration_too(profile):
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = 320, 180, "yuv420p"
    codec.time_base = Fraction(1, 30)
    codec.options = {"tune": "zerolatency", "profile": profile, "x264-params": "repeat-headers=1"}
    frame = av.VideoFrame(320, 180, "yuv420p")
    frame.pts = 0
    packets = codec.encode(frame) + codec.encode(None)

    (unit,) = units_of([Frame("video", 0, payloads_of(split_annex_b(bytes(packets[0]))))])
    assert parse_sequence_parameters(unit.parameters.sequence[0]).width == 320
    data = initialization([unit.parameters], OpusSetup()) + fragment(
        1, [Run(VIDEO_TRACK, 0, [Sample(unit.sample(), 3_000)])]
    )
    assert len(decoded(data)[0]) == 1
