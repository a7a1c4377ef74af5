"""Fragmented MP4 (ISO 14496-12) for one H.264 and one audio track: boxes in, bytes out. Pure.

A file is `initialization` followed by any number of `fragment`s; each fragment is one `moof` and its `mdat`. Nothing
refers to a byte outside its own fragment, so a file cut anywhere plays up to the last whole fragment.
Samples are in the order of decoding; one that is shown at another time says by how much (composition offsets).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from livecommerce.media.packaging.access_units import ParameterSets
from livecommerce.media.wire import h264
from livecommerce.media.wire.rtp import AUDIO_CLOCK, VIDEO_CLOCK

# Track ids of every file written here; the reader of recordings tells the tracks by them.
VIDEO_TRACK, AUDIO_TRACK = 1, 2
# The unity matrix of mvhd and tkhd (ISO 14496-12 section 8.2.2): 16.16 fixed point, its last number 2.30.
_MATRIX = struct.pack("!9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
# sample_flags (section 8.8.3.1): depends on others or not, and whether a decoder may start here.
_KEY_SAMPLE, _OTHER_SAMPLE = 0x02000000, 0x01010000
# Flags of tfhd and trun (ISO 14496-12 sections 8.8.7 and 8.8.8).
_BASE_IS_MOOF, HAS_DESCRIPTION = 0x020000, 0x000002
_DATA_OFFSET, _DURATIONS, _SIZES, _FLAGS, HAS_COMPOSITION = 0x001, 0x100, 0x200, 0x400, 0x800


class OpusSetup(NamedTuple):
    """Opus in MP4 (opus-codec.org/docs/opus_in_isobmff.html)."""

    channels: int = 2


class AacSetup(NamedTuple):
    """AAC-LC at 48 kHz; `configuration` is the AudioSpecificConfig (ISO 14496-3 section 1.6.2.1)."""

    configuration: bytes
    channels: int = 2


class Sample(NamedTuple):
    """`duration` in the track's own clock (90 kHz video, 48 kHz audio); `composition` from decoding to showing, too."""

    data: bytes
    duration: int
    is_key: bool = True
    composition: int = 0


class Run(NamedTuple):
    """Samples of one track in one fragment. `description` is the sample description they belong to, from 1."""

    track: int
    decode_time: int
    samples: Sequence[Sample]
    description: int = 1


def box(kind: bytes, *contents: bytes) -> bytes:
    size = 8 + sum(map(len, contents))
    return b"".join((struct.pack("!I", size), kind, *contents))


def full_box(kind: bytes, version: int, flags: int, *contents: bytes) -> bytes:
    return box(kind, struct.pack("!I", version << 24 | flags), *contents)


def codec_name(parameters: ParameterSets) -> str:
    """`avc1.42e01f`: profile, constraints and level as playlists want them (RFC 6381 section 3.3)."""
    return f"avc1.{parameters.sequence[0][1:4].hex()}"


def avc_configuration(parameters: ParameterSets) -> bytes:
    """The AVCDecoderConfigurationRecord (ISO 14496-15 section 5.3.3.1), lengths of four bytes."""
    first = parameters.sequence[0]
    record = bytes((1, first[1], first[2], first[3], 0xFF, 0xE0 | len(parameters.sequence)))
    for unit in parameters.sequence:
        record += struct.pack("!H", len(unit)) + unit
    record += bytes((len(parameters.picture),))
    for unit in parameters.picture:
        record += struct.pack("!H", len(unit)) + unit
    picture = h264.parse_sequence_parameters(first)
    if picture is not None and picture.profile in (100, 110, 122, 144):
        # 4:2:0, 8 bits, no extensions: what browsers and OBS send as High.
        record += bytes((0xFD, 0xF8, 0xF8, 0))
    return record


def _visual_entry(parameters: ParameterSets) -> bytes:
    picture = h264.parse_sequence_parameters(parameters.sequence[0])
    width, height = (picture.width, picture.height) if picture else (0, 0)
    return box(
        b"avc1",
        bytes(6) + struct.pack("!H", 1) + bytes(16),
        struct.pack("!HHIIIH", width, height, 0x480000, 0x480000, 0, 1),
        bytes(32),
        struct.pack("!Hh", 24, -1),
        box(b"avcC", avc_configuration(parameters)),
        box(b"pasp", struct.pack("!II", 1, 1)),
    )


def _descriptor(tag: int, contents: bytes) -> bytes:
    return bytes((tag, 0x80, 0x80, 0x80, len(contents))) + contents


def _audio_entry(audio: OpusSetup | AacSetup) -> bytes:
    head = bytes(6) + struct.pack("!H", 1) + bytes(8)
    head += struct.pack("!HHII", audio.channels, 16, 0, AUDIO_CLOCK << 16)
    if isinstance(audio, OpusSetup):
        # No pre-skip: the stream is joined in the middle, its first samples are as good as any.
        specific = struct.pack("!BBHIhB", 0, audio.channels, 0, AUDIO_CLOCK, 0, 0)
        return box(b"Opus", head, box(b"dOps", specific))
    configuration = _descriptor(5, audio.configuration)
    decoder = _descriptor(4, bytes((0x40, 0x15, 0, 0, 0)) + struct.pack("!II", 160_000, 128_000) + configuration)
    elementary = _descriptor(3, b"\0\2\0" + decoder + _descriptor(6, b"\2"))
    return box(b"mp4a", head, full_box(b"esds", 0, 0, elementary))


def _track(identity: int, clock: int, handler: bytes, size: tuple[int, int], entries: Sequence[bytes]) -> bytes:
    is_video = handler == b"vide"
    header = full_box(
        b"tkhd",
        0,
        3,
        struct.pack("!IIIII", 0, 0, identity, 0, 0),
        bytes(8),
        struct.pack("!hhhh", 0, 0, 0 if is_video else 0x100, 0),
        _MATRIX,
        struct.pack("!II", size[0] << 16, size[1] << 16),
    )
    media_header = full_box(b"vmhd", 0, 1, bytes(8)) if is_video else full_box(b"smhd", 0, 0, bytes(4))
    table = box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack("!I", len(entries)), *entries),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    data = box(b"dinf", full_box(b"dref", 0, 0, struct.pack("!I", 1), full_box(b"url ", 0, 1)))
    media = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, struct.pack("!IIIIHH", 0, 0, clock, 0, 0x55C4, 0)),
        full_box(b"hdlr", 0, 0, bytes(4) + handler + bytes(12) + b"\0"),
        box(b"minf", media_header, data, table),
    )
    return box(b"trak", header, media)


def initialization(
    descriptions: Sequence[ParameterSets], audio: OpusSetup | AacSetup, duration_ms: int | None = None
) -> bytes:
    """`ftyp` and `moov`.

    Args:
        descriptions: the parameter sets of all fragments that follow, by `Run.description` from 1.
        duration_ms: of the whole file where it is known, so that players show it at once.
    """
    picture = h264.parse_sequence_parameters(descriptions[0].sequence[0])
    size = (picture.width, picture.height) if picture else (0, 0)
    movie = full_box(
        b"mvhd",
        0,
        0,
        struct.pack("!IIIIIH", 0, 0, 1000, 0, 0x10000, 0x100),
        bytes(10),
        _MATRIX,
        bytes(24),
        struct.pack("!I", 3),
    )
    defaults = [
        full_box(b"trex", 0, 0, struct.pack("!IIIII", track, 1, 0, 0, 0)) for track in (VIDEO_TRACK, AUDIO_TRACK)
    ]
    length = [] if duration_ms is None else [full_box(b"mehd", 1, 0, struct.pack("!Q", duration_ms))]
    return box(b"ftyp", b"iso6\0\0\0\0iso6cmfcmp41") + box(
        b"moov",
        movie,
        _track(VIDEO_TRACK, VIDEO_CLOCK, b"vide", size, [_visual_entry(one) for one in descriptions]),
        _track(AUDIO_TRACK, AUDIO_CLOCK, b"soun", (0, 0), [_audio_entry(audio)]),
        box(b"mvex", *length, *defaults),
    )


def _track_fragment(run: Run, data_offset: int) -> bytes:
    flags = _BASE_IS_MOOF | (HAS_DESCRIPTION if run.description != 1 else 0)
    description = struct.pack("!I", run.description) if run.description != 1 else b""
    is_reordered = any(sample.composition for sample in run.samples)
    rows = b"".join(
        struct.pack("!III", sample.duration, len(sample.data), _KEY_SAMPLE if sample.is_key else _OTHER_SAMPLE)
        + (struct.pack("!I", sample.composition) if is_reordered else b"")
        for sample in run.samples
    )
    return box(
        b"traf",
        full_box(b"tfhd", 0, flags, struct.pack("!I", run.track), description),
        full_box(b"tfdt", 1, 0, struct.pack("!Q", run.decode_time)),
        full_box(
            b"trun",
            0,
            _DATA_OFFSET | _DURATIONS | _SIZES | _FLAGS | (HAS_COMPOSITION if is_reordered else 0),
            struct.pack("!Ii", len(run.samples), data_offset),
            rows,
        ),
    )


def fragment(number: int, runs: Iterable[Run]) -> bytes:
    """One `moof` and its `mdat`. `number` grows from fragment to fragment; runs without samples are left out."""
    present = [run for run in runs if run.samples]
    header = full_box(b"mfhd", 0, 0, struct.pack("!I", number & 0xFFFFFFFF))
    length = len(box(b"moof", header, *(_track_fragment(run, 0) for run in present)))
    offset = length + 8
    parts = []
    for run in present:
        parts.append(_track_fragment(run, offset))
        offset += sum(len(sample.data) for sample in run.samples)
    return box(b"moof", header, *parts) + box(b"mdat", *(sample.data for run in present for sample in run.samples))


class Reference(NamedTuple):
    """A stretch of fragments that begins with a key picture: bytes, and length in the 90 kHz clock."""

    size: int
    duration: int


def segment_index(start_time: int, references: Sequence[Reference]) -> bytes:
    """`sidx` (section 8.16.3): lets a player seek and know the length without reading the whole file.

    Raises:
        ValueError: more than 65,535 references, the most the box can hold.
    """
    if len(references) > 0xFFFF:
        raise ValueError("a segment index holds at most 65535 references")
    rows = b"".join(
        struct.pack("!III", reference.size & 0x7FFFFFFF, reference.duration, 0x90000000) for reference in references
    )
    return full_box(
        b"sidx",
        1,
        0,
        struct.pack("!IIQQHH", VIDEO_TRACK, VIDEO_CLOCK, start_time, 0, 0, len(references)),
        rows,
    )
